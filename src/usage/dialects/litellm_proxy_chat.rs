//! What a LiteLLM proxy makes of any vendor's counters: OpenAI's shape with Anthropic's names.
//!
//! `prompt_tokens` includes what was read from and written to the cache, though the same counts
//! also stand beside it under the names by which Anthropic means them to be added; versions that
//! left them out are told by a prompt that is smaller than they are. What was written without a
//! stated lifetime lives five minutes, OpenAI's 30.
//! <https://litellm.vercel.app/docs/completion/prompt_caching>,
//! <https://github.com/BerriAI/litellm/issues/15945> (read 2026-11-23).

use super::openai_shape::{self, CHAT, CacheParts, Reasoning};
use super::{google_grounding, openai_items};
use crate::event::{CallEvent, Json, Rejection};
use crate::usage::TokenClass;
use crate::usage::block::{Block, Count, invalid};
use crate::usage::dialect::Dialect;
use crate::usage::reading::Reading;
use crate::usage::response::last_value_wins;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "litellm_proxy/chat.completions",
    providers: &["litellm_proxy", "litellm"],
    apis: &["chat.completions", "completions", "embeddings", "batch"],
    fits: |fields| fields.any(&["prompt_tokens", "completion_tokens", "total_tokens"]),
    tells: |fields| {
        fields.any(&["prompt_tokens"])
            && fields.any(&["cache_read_input_tokens", "cache_creation_input_tokens"])
    },
    update: last_value_wins,
    is_cut_short: |_| false,
    read,
    units: openai_items::units,
};

fn read(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    let mut cache = CacheParts {
        read: either(block, &["cached_tokens"], &["cache_read_input_tokens"])?,
        written: written(block, event)?,
        are_outside: false,
    };
    let prompt = block.count(CHAT.input)?.map_or(0, |prompt| prompt.tokens);
    cache.are_outside = prompt < cache.total()?;
    let mut reading = openai_shape::read(block, &CHAT, &cache, Reasoning::ByTotal, event)?;
    if cache.are_outside {
        reading.flags.insert("cache_outside_input");
    }
    reading.reported_cost = block.amount("cost")?;
    let searches = searches(block)?;
    let is_google = vendor(event).is_some_and(|vendor| ["gemini", "vertex_ai"].contains(&vendor));
    reading.add_units([match is_google {
        true => google_grounding::search_fee(&event.model, searches),
        false => ("web_search_call", searches),
    }]);
    Ok(reading)
}

fn written(block: &Block, event: &CallEvent) -> Result<Vec<(TokenClass, u64)>, Rejection> {
    let details = block.section(CHAT.input_details)?;
    let names = ["cache_creation_tokens", "cache_write_tokens"];
    let Some(all) = either(block, &names, &["cache_creation_input_tokens"])? else {
        return Ok(Vec::new());
    };
    let split = details.section("cache_creation_token_details")?;
    if split.json().is_none() {
        let lifetime = match vendor(event) {
            Some("openai" | "azure") => TokenClass::CacheWrite30m,
            _ => TokenClass::CacheWrite5m,
        };
        return Ok(vec![(lifetime, all.tokens)]);
    }
    let minutes = split.tokens("ephemeral_5m_input_tokens")?;
    let hour = split.tokens("ephemeral_1h_input_tokens")?;
    let rest = minutes.checked_add(hour).and_then(|known| all.tokens.checked_sub(known));
    let rest = rest.ok_or_else(|| invalid(format!("the parts of `{}` are more", all.name())))?;
    Ok(vec![
        (TokenClass::CacheWrite5m, minutes),
        (TokenClass::CacheWrite1h, hour),
        (TokenClass::CacheWrite, rest),
    ])
}

/// A count that may stand among the details, beside the totals, or both.
fn either(
    block: &Block,
    detailed: &[&'static str],
    beside: &[&'static str],
) -> Result<Option<Count>, Rejection> {
    match block.section(CHAT.input_details)?.first(detailed)? {
        Some(count) if count.tokens > 0 => Ok(Some(count)),
        count => Ok(block.first(beside)?.or(count)),
    }
}

fn searches(block: &Block) -> Result<u64, Rejection> {
    let field = "web_search_requests";
    let listed = block.section(CHAT.input_details)?.tokens(field)?;
    Ok(listed.max(block.section("server_tool_use")?.tokens(field)?))
}

fn vendor(event: &CallEvent) -> Option<&str> {
    event.fact("custom_llm_provider").and_then(Json::as_text)
}
