//! Perplexity: OpenAI's shape, what was searched and thought beside it.
//!
//! - Citations are read, reasoning of deep research is written, both beside the totals:
//!   <https://docs.perplexity.ai/getting-started/pricing>; as measured in
//!   <https://github.com/bgeneto/open-webui-cost-tracker/issues/6>.
//! - A fee for each request by the size of its search context; deep research pays for each search
//!   instead (same page). Where no size is told, it is the default, `low`:
//!   <https://docs.perplexity.ai/guides/search-context-size-guide>. A reported fee of 0 is none.
//!
//! All read 2026-11-23.

use super::openai_compatible;
use super::openai_shape::{self, CHAT, CacheParts, Reasoning};
use crate::event::{CallEvent, Json, Rejection};
use crate::usage::TokenClass;
use crate::usage::block::{Block, invalid};
use crate::usage::dialect::Dialect;
use crate::usage::reading::Reading;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "perplexity/chat.completions",
    providers: &["perplexity"],
    apis: &["chat.completions", "completions"],
    tells: |fields| fields.any(&["citation_tokens", "num_search_queries"]),
    read,
    ..openai_compatible::SERVER
};

fn read(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    let cache = CacheParts { read: openai_shape::cache_read(block, &CHAT)?, ..Default::default() };
    let mut reading = openai_shape::read(block, &CHAT, &cache, Reasoning::ByTotal, event)?;
    let citations = block.tokens("citation_tokens")?;
    let thought = block.tokens("reasoning_tokens")?;
    let beside = [(TokenClass::Citation, citations), (TokenClass::OutputReasoning, thought)];
    if let Some(request) = reading.requests.last_mut() {
        for (class, count) in beside {
            let sum = request.tokens.add(class, count);
            sum.ok_or_else(|| invalid("the counts beside `usage` overflow"))?;
        }
    }
    let total = block.count("total_tokens")?.map(|total| total.tokens);
    if reading.sum() == total {
        // Some answers count the reasoning into the total.
        reading.flags.remove("total_mismatch:total_tokens");
    }
    reading.reported_cost = openai_compatible::cost(block)?;
    add_fee(&mut reading, block, event)?;
    Ok(reading)
}

/// The request's fee: per search where they are counted, else once for whoever searched.
fn add_fee(reading: &mut Reading, block: &Block, event: &CallEvent) -> Result<(), Rejection> {
    let fact = || event.fact("search_context_size").and_then(Json::as_text).map(str::to_lowercase);
    let size = block.text("search_context_size").or_else(fact);
    let is_per_search = event.model.contains("deep-research");
    let searches = block.count("num_search_queries")?.filter(|_| is_per_search);
    let is_free = match block.value("cost") {
        Some(Json::Object(_)) => block.section("cost")?.amount("request_cost")?,
        _ => None,
    };
    let is_free = is_free.is_some_and(|fee| fee.is_zero());
    let is_default = size.is_none() && !is_per_search && !is_free && event.model.contains("sonar");
    if is_default {
        reading.flags.insert("search_context_assumed:low");
    }
    let once = u64::from(size.is_some() || is_default);
    let fees = searches.map_or(once, |searches| searches.tokens);
    reading.add_units([(format!("search_request_{}", size.as_deref().unwrap_or("low")), fees)]);
    Ok(())
}
