//! OpenAI chat completions, and Azure's: totals with their parts inside.
//!
//! Cached and written tokens are disjoint parts of `prompt_tokens`; what is written is kept for 30
//! minutes. In a stream only the last chunk carries usage, where it was asked for.
//! <https://rubydoc.info/github/openai/openai-ruby/OpenAI/Models/Chat/ChatCompletionStreamOptions>;
//! <https://developers.openai.com/api/docs/guides/prompt-caching>, as quoted in
//! <https://github.com/tleyden/arty/pull/146> (both read 2026-11-23).

use super::openai_items;
use super::openai_shape::{self, CHAT, CacheParts, Reasoning, Spelling};
use crate::event::{CallEvent, Rejection};
use crate::usage::TokenClass;
use crate::usage::block::Block;
use crate::usage::dialect::Dialect;
use crate::usage::reading::Reading;
use crate::usage::response::last_value_wins;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "openai/chat.completions",
    providers: &["openai"],
    apis: &["chat.completions", "completions", "batch"],
    fits: |fields| {
        fields.any(&["prompt_tokens", "completion_tokens", "total_tokens"])
            && !fields.any(&["cache_read_input_tokens", "cache_creation_input_tokens"])
    },
    tells: |_| false,
    update: last_value_wins,
    is_cut_short: |_| false,
    read,
    units: openai_items::units,
};

fn read(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    openai_shape::read(block, &CHAT, &cache(block, &CHAT)?, Reasoning::Inside, event)
}

/// OpenAI's cache: parts of the input, written ones live 30 minutes.
pub(super) fn cache(block: &Block, spelling: &Spelling) -> Result<CacheParts, Rejection> {
    let written = block.section(spelling.input_details)?.tokens("cache_write_tokens")?;
    Ok(CacheParts {
        read: openai_shape::cache_read(block, spelling)?,
        written: vec![(TokenClass::CacheWrite30m, written)],
        are_outside: false,
    })
}
