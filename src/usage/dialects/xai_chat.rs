//! xAI chat completions: OpenAI's shape, with the reasoning beside the completion.
//!
//! The total is prompt + completion + reasoning, as measured against the reported cost in
//! <https://github.com/Wei-Shaw/sub2api/issues/5771>. `text_tokens` may count the cached ones too:
//! <https://docs.x.ai/developers/advanced-api-usage/prompt-caching/usage-and-pricing>. A cost is
//! told in ticks of 1e-10 USD: <https://docs.x.ai/developers/cost-tracking> (all read 2026-11-23).

use super::openai_shape::{self, CHAT, CacheParts, Reasoning, Spelling};
use super::{openai_compatible, xai_tools};
use crate::event::{CallEvent, Rejection};
use crate::money::Decimal;
use crate::usage::block::{Block, invalid};
use crate::usage::dialect::Dialect;
use crate::usage::reading::Reading;

/// 10,000,000,000 ticks are one USD.
const TICK: Decimal = Decimal::new(1, 10);

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "xai/chat.completions",
    providers: &["xai", "x_ai", "x-ai"],
    apis: &["chat.completions", "completions", "batch"],
    read: |block, event| read(block, &CHAT, Reasoning::Beside, event),
    ..openai_compatible::SERVER
};

pub(super) fn read(
    block: &Block,
    spelling: &Spelling,
    reasoning: Reasoning,
    event: &CallEvent,
) -> Result<Reading, Rejection> {
    let read = openai_shape::cache_read(block, spelling)?;
    let cache = CacheParts { read, ..CacheParts::default() };
    let mut reading = openai_shape::read(block, spelling, &cache, reasoning, event)?;
    reading.reported_cost = match block.count("cost_in_usd_ticks")? {
        Some(ticks) => Some(in_usd(ticks.tokens)?),
        None => None,
    };
    reading.add_units(xai_tools::units(block)?);
    Ok(reading)
}

fn in_usd(ticks: u64) -> Result<Decimal, Rejection> {
    let cost = Decimal::from(ticks).checked_mul(TICK);
    cost.ok_or_else(|| invalid("`cost_in_usd_ticks` has too many digits"))
}
