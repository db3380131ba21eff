//! Anyone who answers in OpenAI's shape and has no dialect of their own.
//!
//! What differs among them is read by where it stands: `cached_tokens` beside the totals, cache
//! hits by their own name (<https://docs.stigg.io/documentation/ai-agents/providers/deepseek>),
//! reasoning beside the output where only that sums to the total
//! (<https://github.com/Wei-Shaw/sub2api/issues/5771>; both read 2026-11-23), a cost of the relay's
//! own. How long a written cache lives is not said. Streams are cumulative.

use super::openai_items;
use super::openai_shape::{self, CacheParts, Reasoning, Spelling};
use crate::event::{CallEvent, Json, Rejection};
use crate::money::Decimal;
use crate::usage::TokenClass;
use crate::usage::block::{Block, Count};
use crate::usage::dialect::{Dialect, Fields};
use crate::usage::reading::Reading;
use crate::usage::response::last_value_wins;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "openai_compatible/chat.completions",
    providers: &["openai_compatible"],
    apis: &["chat.completions", "completions", "responses", "embeddings", "batch"],
    fits: |fields| {
        fields.any(&["prompt_tokens", "completion_tokens", "input_tokens", "output_tokens"])
            && !is_additive(fields)
    },
    tells: |fields| {
        let is_chat = fields.any(&["prompt_tokens", "completion_tokens"]);
        let is_responses =
            fields.any(&["input_tokens"]) && fields.any(&["total_tokens", "input_tokens_details"]);
        (is_chat || is_responses) && !is_additive(fields)
    },
    update: last_value_wins,
    is_cut_short: |_| false,
    read: read_server,
    units: openai_items::units,
};

/// The same for those who are known by name.
pub(super) const SERVER: Dialect = Dialect { tells: |_| false, read, ..DIALECT };

/// Cache counts of another family, which stand beside the input.
fn is_additive(fields: &Fields) -> bool {
    fields.any(&["cache_read_input_tokens", "cache_creation_input_tokens"])
}

/// Reads a server that may have been started without its details: then only totals are known.
pub(super) fn read_server(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    let mut reading = read(block, event)?;
    let spelling = openai_shape::spelling_of(block);
    let names = [spelling.input_details, spelling.output_details];
    let beside = ["cached_tokens", "prompt_cache_hit_tokens"];
    reading.is_totals_only = !names.iter().chain(&beside).any(|name| block.has(name));
    Ok(reading)
}

pub(super) fn read(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    let spelling = openai_shape::spelling_of(block);
    let details = block.section(spelling.input_details)?;
    let cache = CacheParts {
        read: cache_read(block, spelling)?,
        written: vec![(TokenClass::CacheWrite, details.tokens("cache_write_tokens")?)],
        are_outside: false,
    };
    let mut reading = openai_shape::read(block, spelling, &cache, Reasoning::ByTotal, event)?;
    reading.reported_cost = cost(block)?;
    Ok(reading)
}

/// The cached tokens, wherever such a server writes them.
pub(super) fn cache_read(block: &Block, spelling: &Spelling) -> Result<Option<Count>, Rejection> {
    match openai_shape::cache_read(block, spelling)? {
        Some(read) if read.tokens > 0 => Ok(Some(read)),
        _ => block.first(&["cached_tokens", "prompt_cache_hit_tokens"]),
    }
}

/// The cost that a relay reports, alone or in parts.
pub(super) fn cost(block: &Block) -> Result<Option<Decimal>, Rejection> {
    match block.value("cost") {
        Some(Json::Object(_)) => block.section("cost")?.amount("total_cost"),
        _ => block.amount("cost"),
    }
}
