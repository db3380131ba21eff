//! Mistral chat, agents, fill-in and embeddings: OpenAI's shape.
//!
//! Cached tokens are a part of the prompt, told as `prompt_tokens_details.cached_tokens` and billed
//! in blocks of 64: <https://docs.mistral.ai/studio-api/conversations/advanced/prompt-caching>.
//! `num_cached_tokens` is something else: it counts 9 of 10 tokens. Audio that was heard
//! is told in seconds, is no part of `prompt_tokens` and may be `{}`, as answers show (read
//! 2026-11-23).

use super::openai_compatible;
use super::openai_shape::{self, CHAT, CacheParts, Reasoning};
use crate::event::{CallEvent, Rejection};
use crate::usage::block::Block;
use crate::usage::dialect::Dialect;
use crate::usage::reading::Reading;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "mistral/chat.completions",
    providers: &["mistral", "mistral_ai", "mistralai"],
    apis: &[
        "chat.completions",
        "agents",
        "agents.completions",
        "fim.completions",
        "conversations",
        "embeddings",
        "batch",
    ],
    read,
    ..openai_compatible::SERVER
};

pub(super) fn read(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    let cache = CacheParts { read: openai_shape::cache_read(block, &CHAT)?, ..Default::default() };
    let seconds = block.amount("prompt_audio_seconds")?.filter(|seconds| !seconds.is_zero());
    let mut reading = openai_shape::read(block, &CHAT, &cache, Reasoning::ByTotal, event)?;
    if let Some(seconds) = seconds {
        // The total counts the audio in tokens, which are not billed.
        reading.flags.remove("total_mismatch:total_tokens");
        reading.add_units([("input_audio_seconds", seconds)]);
    }
    Ok(reading)
}
