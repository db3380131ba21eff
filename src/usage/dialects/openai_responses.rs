//! OpenAI responses, and Azure's: as chat completions, in other words.
//!
//! A stream ends with `response.completed`, or `response.incomplete`, which carries the usage.
//! <https://developers.openai.com/api/docs/guides/prompt-caching>, as quoted and measured in
//! <https://github.com/charmbracelet/fantasy/pull/331> (read 2026-11-23).

use super::openai_shape::{self, RESPONSES, Reasoning};
use super::{openai_chat, openai_items};
use crate::event::{CallEvent, Rejection};
use crate::usage::block::Block;
use crate::usage::dialect::Dialect;
use crate::usage::reading::Reading;
use crate::usage::response::last_value_wins;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "openai/responses",
    providers: &["openai", "azure", "azure_openai"],
    apis: &["responses", "batch"],
    fits: |fields| {
        fields.any(&["input_tokens", "output_tokens"])
            && !fields.any(&["cache_read_input_tokens", "cache_creation_input_tokens"])
    },
    tells: |_| false,
    update: last_value_wins,
    is_cut_short: |_| false,
    read,
    units: openai_items::units,
};

fn read(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    let cache = openai_chat::cache(block, &RESPONSES)?;
    openai_shape::read(block, &RESPONSES, &cache, Reasoning::Inside, event)
}
