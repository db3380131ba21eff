//! xAI responses: as chat completions, with the reasoning inside the output.
//!
//! <https://docs.x.ai/developers/advanced-api-usage/prompt-caching/usage-and-pricing> (read
//! 2026-11-23). Relays write them in the words of chat completions too, and then the total tells.

use super::openai_shape::{CHAT, RESPONSES, Reasoning};
use super::xai_chat;
use crate::usage::dialect::Dialect;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "xai/responses",
    apis: &["responses"],
    read: |block, event| match block.has(CHAT.input) {
        true => xai_chat::read(block, &CHAT, Reasoning::ByTotal, event),
        false => xai_chat::read(block, &RESPONSES, Reasoning::Inside, event),
    },
    ..xai_chat::DIALECT
};
