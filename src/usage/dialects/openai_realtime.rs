//! OpenAI realtime: each `response.done` is a response of its own, and all of them are billed.
//!
//! Text, audio and image tokens divide each side; cached tokens are a part of the input with the
//! same division: `RealtimeResponseUsageInputTokenDetails` in
//! <https://docs.rs/crate/openai-client-base/0.12.0>, made from OpenAI's API description. Reasoning
//! is inside the text of the output: <https://github.com/BerriAI/litellm/pull/39850> (both read
//! 2026-11-23).

use super::openai_shape::{self, REALTIME, Reasoning};
use super::{openai_chat, openai_items};
use crate::event::{CallEvent, Rejection};
use crate::usage::block::Block;
use crate::usage::dialect::{Dialect, PLAIN};
use crate::usage::reading::Reading;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "openai/realtime",
    providers: &["openai", "azure", "azure_openai"],
    apis: &["realtime", "realtime.sessions"],
    fits: |fields| fields.any(&["input_tokens", "output_tokens"]),
    tells: |fields| fields.any(&["input_token_details", "output_token_details"]),
    read,
    units: openai_items::units,
    ..PLAIN
};

fn read(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    let cache = openai_chat::cache(block, &REALTIME)?;
    openai_shape::read(block, &REALTIME, &cache, Reasoning::Inside, event)
}
