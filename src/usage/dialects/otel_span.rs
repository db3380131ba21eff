//! OpenTelemetry's GenAI attributes, as spans carry them.
//!
//! - `gen_ai.usage.input_tokens` should include what was read from and written to the cache:
//!   the attributes' constants in <https://open-telemetry.github.io/opentelemetry-js/>.
//! - Older emitters spell `cache_read_input_tokens` and leave the cache out; so do those whose
//!   input is smaller than its cache: <https://github.com/traceloop/openllmetry/issues/4449>.
//! - Written tokens live as long as by default: OpenAI's 30 minutes, all others' five.
//!
//! All read 2026-11-23.

use crate::event::{CallEvent, Rejection};
use crate::usage::block::{Block, Count, sum};
use crate::usage::dialect::{Dialect, PLAIN};
use crate::usage::reading::Reading;
use crate::usage::{TokenClass, Tokens};

const INPUT: [&str; 2] = ["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"];
const OUTPUT: [&str; 2] = ["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"];
const READ: &str = "gen_ai.usage.cache_read.input_tokens";
const WRITTEN: &str = "gen_ai.usage.cache_creation.input_tokens";
const READ_OLD: &str = "gen_ai.usage.cache_read_input_tokens";
const WRITTEN_OLD: &str = "gen_ai.usage.cache_creation_input_tokens";
const REASONING: &str = "gen_ai.usage.reasoning.output_tokens";
const VENDOR: [&str; 2] = ["gen_ai.provider.name", "gen_ai.system"];

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "otel/span",
    providers: &["otel", "opentelemetry"],
    apis: &["span", "spans", "traces", "logs"],
    fits: |fields| fields.any(&INPUT) || fields.any(&OUTPUT),
    tells: |fields| fields.any(&INPUT) || fields.any(&OUTPUT),
    read,
    ..PLAIN
};

fn read(block: &Block, _event: &CallEvent) -> Result<Reading, Rejection> {
    let mut reading = Reading::default();
    let (input, output) = (block.first(&INPUT)?, block.first(&OUTPUT)?);
    reading.expect("gen_ai.usage.input_tokens", input.is_some());
    reading.expect("gen_ai.usage.output_tokens", output.is_some());
    let vendor = VENDOR.iter().find_map(|name| block.text(name));
    let mut tokens = Tokens::default();
    read_input(block, input, vendor.as_deref(), &mut tokens)?;
    let thought = block.count(REASONING)?;
    if let (Some(thought), Some(output)) = (thought, output) {
        thought.within(&output)?;
    }
    let thought = thought.filter(|_| output.is_some()).map_or(0, |thought| thought.tokens);
    tokens.set(TokenClass::OutputText, count(output) - thought);
    tokens.set(TokenClass::OutputReasoning, thought);
    let details = [READ, WRITTEN, READ_OLD, WRITTEN_OLD, REASONING];
    reading.is_totals_only = !details.iter().any(|name| block.has(name));
    reading.fact("gen_ai.provider.name", vendor);
    reading.push(tokens);
    Ok(reading)
}

fn read_input(
    block: &Block,
    input: Option<Count>,
    vendor: Option<&str>,
    tokens: &mut Tokens,
) -> Result<(), Rejection> {
    let read = count(block.first(&[READ, READ_OLD])?);
    let written = count(block.first(&[WRITTEN, WRITTEN_OLD])?);
    let in_cache = sum(&[read, written])?;
    let is_old = !block.has(READ) && !block.has(WRITTEN);
    let input = count(input);
    let are_outside = is_old || input < in_cache;
    tokens.set(TokenClass::InputText, if are_outside { input } else { input - in_cache });
    tokens.set(TokenClass::CacheReadText, read);
    let lifetime = match vendor {
        Some("openai" | "azure.ai.openai" | "az.ai.openai") => TokenClass::CacheWrite30m,
        _ => TokenClass::CacheWrite5m,
    };
    tokens.set(lifetime, written);
    Ok(())
}

fn count(count: Option<Count>) -> u64 {
    count.map_or(0, |count| count.tokens)
}
