//! DashScope (Qwen): its own words or OpenAI's; explicit cache hits have a price of their own.
//!
//! `cache_type` is `ephemeral` where the cache was made explicitly; what is written to it lives
//! five minutes, and both are parts of the prompt:
//! <https://www.alibabacloud.com/help/en/model-studio/context-cache> (read 2026-11-23).

use super::openai_compatible;
use super::openai_shape::{self, CacheParts, Reasoning, Spelling};
use crate::event::{CallEvent, Rejection};
use crate::usage::TokenClass;
use crate::usage::block::{Block, invalid};
use crate::usage::dialect::Dialect;
use crate::usage::reading::Reading;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "dashscope/chat.completions",
    providers: &["dashscope", "alibaba", "qwen"],
    apis: &["chat.completions", "generation", "responses", "embeddings", "batch"],
    read,
    ..openai_compatible::SERVER
};

fn read(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    let spelling = openai_shape::spelling_of(block);
    let details = block.section(spelling.input_details)?;
    let cache = CacheParts {
        read: openai_compatible::cache_read(block, spelling)?,
        written: written(&details)?,
        are_outside: false,
    };
    let mut reading = openai_shape::read(block, spelling, &cache, Reasoning::ByTotal, event)?;
    if is_explicit(block, spelling)? {
        for request in &mut reading.requests {
            let read = request.tokens.count(TokenClass::CacheReadText);
            request.tokens.set(TokenClass::CacheReadText, 0);
            request.tokens.set(TokenClass::CacheReadTextExplicit, read);
        }
    }
    Ok(reading)
}

fn is_explicit(block: &Block, spelling: &Spelling) -> Result<bool, Rejection> {
    let kind = block.section(spelling.input_details)?.text("cache_type");
    Ok(kind.or_else(|| block.text("cache_type")).as_deref() == Some("ephemeral"))
}

fn written(details: &Block) -> Result<Vec<(TokenClass, u64)>, Rejection> {
    let split = details.section("cache_creation")?;
    let minutes = split.tokens("ephemeral_5m_input_tokens")?;
    let hour = split.tokens("ephemeral_1h_input_tokens")?;
    let known = crate::usage::block::sum(&[minutes, hour])?;
    let all = details.count("cache_creation_input_tokens")?.map_or(known, |all| all.tokens);
    let rest = all.checked_sub(known);
    let rest = rest.ok_or_else(|| invalid("the parts of `cache_creation` are more than it"))?;
    let rest_class = if known == 0 { TokenClass::CacheWrite5m } else { TokenClass::CacheWrite };
    Ok(vec![
        (TokenClass::CacheWrite5m, minutes),
        (TokenClass::CacheWrite1h, hour),
        (rest_class, rest),
    ])
}
