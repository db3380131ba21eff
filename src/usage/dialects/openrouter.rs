//! OpenRouter: OpenAI's shape, with what was charged.
//!
//! - `cost` is what the account pays. Who brings their own key pays the upstream as well; else
//!   `upstream_inference_cost` is the same money again:
//!   <https://openrouter.ai/docs/use-cases/usage-accounting>,
//!   <https://github.com/OpenRouterTeam/ai-sdk-provider/issues/532>.
//! - Cached and written tokens are disjoint parts of the prompt; how long the written live is not
//!   said:
//!   <https://openrouter.ai/docs/sdks/python/api-reference/components/prompttokensdetails>.
//!
//! All read 2026-11-23.

use super::openai_compatible;
use crate::event::{CallEvent, Json, Rejection};
use crate::money::Decimal;
use crate::usage::block::{Block, invalid};
use crate::usage::dialect::Dialect;
use crate::usage::reading::Reading;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "openrouter/chat.completions",
    providers: &["openrouter"],
    apis: &["chat.completions", "completions", "responses", "embeddings"],
    tells: |fields| fields.any(&["cost_details", "is_byok"]),
    read,
    ..openai_compatible::SERVER
};

fn read(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    let mut reading = openai_compatible::read(block, event)?;
    reading.reported_cost = cost(block)?;
    Ok(reading)
}

fn cost(block: &Block) -> Result<Option<Decimal>, Rejection> {
    let charged = block.amount("cost")?;
    if !matches!(block.value("is_byok"), Some(Json::Bool(true))) {
        return Ok(charged);
    }
    let upstream = block.section("cost_details")?.amount("upstream_inference_cost")?;
    match (charged, upstream) {
        (Some(charged), Some(upstream)) => {
            let both = charged.checked_add(upstream);
            both.map(Some).ok_or_else(|| invalid("the parts of `cost` have too many digits"))
        }
        // Without the upstream's part, what was paid is not known.
        _ => Ok(None),
    }
}
