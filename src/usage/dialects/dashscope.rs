//! DashScope (Qwen): its own words or OpenAI's, also mixed: its own API counts the cached under
//! `prompt_tokens_details` beside `input_tokens`. Explicit cache hits have a price of their own.
//!
//! `cache_type` is `ephemeral` where the cache was made explicitly; what is written to it lives
//! five minutes, and both are parts of the prompt:
//! <https://www.alibabacloud.com/help/en/model-studio/context-cache> (read 2026-11-23).

use super::openai_compatible;
use super::openai_shape::{self, CHAT, CacheParts, Reasoning, Spelling};
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
    let details = cache_details(block, spelling)?;
    let beside = || openai_compatible::cache_read(block, spelling);
    let cache = CacheParts {
        read: details.count("cached_tokens")?.map_or_else(beside, |read| Ok(Some(read)))?,
        written: written(&details)?,
        are_outside: false,
    };
    let mut reading = openai_shape::read(block, spelling, &cache, Reasoning::ByTotal, event)?;
    if is_explicit(block, &details) {
        for request in &mut reading.requests {
            let read = request.tokens.count(TokenClass::CacheReadText);
            request.tokens.set(TokenClass::CacheReadText, 0);
            request.tokens.set(TokenClass::CacheReadTextExplicit, read);
        }
    }
    Ok(reading)
}

/// Where the cache is counted.
fn cache_details<'a>(block: &Block<'a>, spelling: &Spelling) -> Result<Block<'a>, Rejection> {
    let own = block.section(spelling.input_details)?;
    let counts = ["cached_tokens", "cache_creation", "cache_creation_input_tokens", "cache_type"];
    match counts.iter().any(|field| own.has(field)) {
        true => Ok(own),
        false => block.section(CHAT.input_details),
    }
}

fn is_explicit(block: &Block, details: &Block) -> bool {
    let kind = details.text("cache_type").or_else(|| block.text("cache_type"));
    kind.as_deref() == Some("ephemeral")
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
