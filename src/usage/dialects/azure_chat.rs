//! Azure's chat completions: OpenAI's counters, and a fee where the model router chose the model.
//!
//! The router's fee counts input tokens, once, on top of the chosen model's own price:
//! <https://learn.microsoft.com/en-us/azure/foundry/openai/concepts/model-router-faq> (read
//! 2026-11-23).

use super::openai_chat;
use crate::event::{CallEvent, Rejection};
use crate::usage::block::{Block, sum};
use crate::usage::dialect::Dialect;
use crate::usage::reading::Reading;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "azure/chat.completions",
    providers: &["azure", "azure_openai", "azure_ai"],
    apis: &["chat.completions", "completions", "embeddings", "batch"],
    read,
    ..openai_chat::DIALECT
};

fn read(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    let mut reading = (openai_chat::DIALECT.read)(block, event)?;
    if is_routed(event) {
        let inputs = reading.requests.iter().filter_map(|request| request.tokens.total_input());
        let input = sum(&inputs.collect::<Vec<_>>())?;
        reading.add_units([("router_input_token", input)]);
    }
    Ok(reading)
}

fn is_routed(event: &CallEvent) -> bool {
    let names = [Some(&event.model), event.request_model.as_ref(), event.deployment.as_ref()];
    names.into_iter().flatten().any(|name| name.contains("model-router"))
}
