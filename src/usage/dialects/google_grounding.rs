//! Fees for Google's search and maps grounding.
//!
//! Gemini 3 and later are billed per query, where equal and empty ones count once and not at all;
//! earlier models per grounded prompt. What grounding reads is not billed as input.
//! <https://ai.google.dev/gemini-api/docs/pricing>, as quoted in
//! <https://you.com/resources/gemini-web-search-api> and
//! <https://discuss.ai.google.dev/t/168136>
//! (read 2026-11-23).

use std::collections::BTreeSet;

use crate::event::{CallEvent, Json, Rejection};
use crate::usage::block::{invalid, number};
use crate::usage::reading::Units;

/// Whether the answer was grounded in search or maps.
pub(super) fn is_grounded(event: &CallEvent) -> Result<bool, Rejection> {
    Ok(units(event)?.iter().any(|(_, quantity)| *quantity > 0))
}

/// The billed grounding that an event's context names.
pub(super) fn units(event: &CallEvent) -> Result<Units, Rejection> {
    let searches = queries(event, ["web_search_queries", "webSearchQueries"])?;
    let maps = queries(event, ["maps_queries", "mapsQueries"])?;
    let maps = match is_billed_per_query(&event.model) {
        true => ("maps_query", maps),
        false => ("maps_prompt", maps.min(1)),
    };
    Ok(vec![search_fee(&event.model, searches), maps])
}

/// The unit of a model's search fee and how many of it these queries are.
pub(super) fn search_fee(model: &str, queries: u64) -> (&'static str, u64) {
    match is_billed_per_query(model) {
        true => ("web_search_query", queries),
        false => ("web_search_prompt", queries.min(1)),
    }
}

/// Models whose name tells no generation are the latest of their kind.
fn is_billed_per_query(model: &str) -> bool {
    let generation = model.split_once("gemini-").and_then(|(_, version)| version.chars().next());
    !matches!(generation, Some('0'..='2'))
}

/// A number of queries, or the queries themselves.
fn queries(event: &CallEvent, names: [&str; 2]) -> Result<u64, Rejection> {
    let Some(value) = names.iter().find_map(|name| event.fact(name)) else { return Ok(0) };
    let count = match value {
        Json::Array(items) => {
            let texts = items.iter().filter_map(Json::as_text).filter(|text| !text.is_empty());
            let others = items.iter().filter(|item| item.as_text().is_none()).count();
            u64::try_from(texts.collect::<BTreeSet<_>>().len() + others).ok()
        }
        value => number(value).and_then(crate::money::Decimal::to_count),
    };
    count.ok_or_else(|| invalid("a number of grounding queries in `context` is not a count"))
}
