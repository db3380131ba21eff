//! DeepSeek: OpenAI's shape, the prompt divided into cache hits and misses.
//!
//! `prompt_tokens` is hits plus misses, and a miss is an ordinary input token, no cache write; the
//! reasoning is inside the completion: <https://api-docs.deepseek.com/api/create-chat-completion>,
//! as quoted in <https://github.com/prism-php/prism/pull/1021> (read 2026-11-23).

use super::openai_compatible;
use super::openai_shape::{self, CHAT, CacheParts, Reasoning};
use crate::event::{CallEvent, Rejection};
use crate::usage::block::{Block, sum};
use crate::usage::dialect::Dialect;
use crate::usage::reading::Reading;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "deepseek/chat.completions",
    providers: &["deepseek"],
    apis: &["chat.completions", "completions", "beta.completions"],
    read,
    ..openai_compatible::SERVER
};

fn read(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    let hits = match block.count("prompt_cache_hit_tokens")? {
        None => openai_shape::cache_read(block, &CHAT)?,
        hits => hits,
    };
    let cache = CacheParts { read: hits, ..CacheParts::default() };
    let mut reading = openai_shape::read(block, &CHAT, &cache, Reasoning::Inside, event)?;
    if let Some(misses) = block.count("prompt_cache_miss_tokens")? {
        let prompt = sum(&[hits.map_or(0, |hits| hits.tokens), misses.tokens])?;
        let reported = block.count(CHAT.input)?.map(|prompt| prompt.tokens);
        reading.compare(CHAT.input, reported, prompt);
    }
    Ok(reading)
}
