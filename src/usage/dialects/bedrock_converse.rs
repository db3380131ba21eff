//! Bedrock Converse: input, cache reads and cache writes stand side by side and are added.
//!
//! - `TokenUsage` in
//!   <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html>; its
//!   `cacheDetails` divide the writes by lifetime; unsaid is five minutes. That `inputTokens`
//!   leaves the cache out: AWS' prompt-caching guide, as quoted in
//!   <https://github.com/crmne/ruby_llm/pull/832>.
//! - Streams of OpenAI's models count the cache inside `inputTokens` and again in `totalTokens`:
//!   <https://github.com/maximhq/bifrost/pull/6942>. Their writes live 30 minutes.
//!
//! All read 2026-11-23.

use crate::event::{CallEvent, Json, Rejection};
use crate::usage::block::{Block, invalid, sum};
use crate::usage::dialect::{Dialect, PLAIN};
use crate::usage::reading::Reading;
use crate::usage::{TokenClass, Tokens};

/// Names by which a block is known.
const COUNTS: [&str; 4] = ["inputTokens", "outputTokens", "inputTokenCount", "outputTokenCount"];

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "bedrock/converse",
    providers: &["bedrock", "bedrock_converse", "aws_bedrock", "amazon_bedrock", "aws.bedrock"],
    apis: &["converse", "converse_stream", "Converse", "ConverseStream"],
    fits: |fields| fields.any(&COUNTS),
    tells: |fields| fields.any(&COUNTS),
    read,
    ..PLAIN
};

pub(super) fn read(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    let mut reading = Reading::default();
    let input = block.first(&["inputTokens", "inputTokenCount"])?;
    let output = block.first(&["outputTokens", "outputTokenCount"])?;
    reading.expect("inputTokens", input.is_some());
    reading.expect("outputTokens", output.is_some());
    let read = block.first(&["cacheReadInputTokens", "cacheReadInputTokenCount"])?;
    let written = block.first(&["cacheWriteInputTokens", "cacheWriteInputTokenCount"])?;
    let count = |count: Option<crate::usage::block::Count>| count.map_or(0, |count| count.tokens);
    let (input, output) = (count(input), count(output));
    let in_cache = sum(&[count(read), count(written)])?;
    let are_inside = is_openai(&event.model) && in_cache > 0 && input >= in_cache;
    let mut tokens = Tokens::default();
    tokens.set(TokenClass::InputText, if are_inside { input - in_cache } else { input });
    tokens.set(TokenClass::CacheReadText, count(read));
    for (class, part) in lifetimes(block, count(written), is_openai(&event.model))? {
        tokens.add(class, part).ok_or_else(|| invalid("the counts of `cacheDetails` overflow"))?;
    }
    tokens.set(TokenClass::OutputText, output);
    let total = block.count("totalTokens")?.map(|total| total.tokens);
    let counted_twice = sum(&[input, in_cache, output])?;
    let ours = if are_inside { sum(&[input, output])? } else { counted_twice };
    reading.compare("totalTokens", total.filter(|total| *total != counted_twice), ours);
    reading.service_tier = block.text("serviceTier");
    reading.push(tokens);
    Ok(reading)
}

/// What was written, by how long it lives.
fn lifetimes(
    block: &Block,
    written: u64,
    is_openai: bool,
) -> Result<Vec<(TokenClass, u64)>, Rejection> {
    let details = block.list("cacheDetails")?;
    if details.is_empty() {
        let class = if is_openai { TokenClass::CacheWrite30m } else { TokenClass::CacheWrite5m };
        return Ok(vec![(class, written)]);
    }
    let mut parts = Vec::new();
    for detail in details {
        if !matches!(detail, Json::Object(_)) {
            return Err(invalid("an element of `cacheDetails` is not an object"));
        }
        let detail = Block::new(detail);
        let class = match detail.text("ttl").as_deref() {
            Some("5m") => TokenClass::CacheWrite5m,
            Some("30m") => TokenClass::CacheWrite30m,
            Some("1h") => TokenClass::CacheWrite1h,
            _ => TokenClass::CacheWrite,
        };
        parts.push((class, detail.tokens("inputTokens")?));
    }
    let known = sum(&parts.iter().map(|(_, part)| *part).collect::<Vec<_>>())?;
    let rest = written.checked_sub(known);
    let rest =
        rest.ok_or_else(|| invalid("`cacheDetails` are more than `cacheWriteInputTokens`"))?;
    parts.push((TokenClass::CacheWrite, rest));
    Ok(parts)
}

/// `us.openai.gpt-5.6-luna`, `…:foundation-model/openai.gpt-oss-120b-1:0`.
fn is_openai(model: &str) -> bool {
    model.split(['.', '/', ':']).any(|part| part == "openai")
}
