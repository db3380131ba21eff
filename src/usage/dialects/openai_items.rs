//! Tool calls of OpenAI's APIs: they are output items, not part of the usage block.
//!
//! Web and file search are billed per call, the code interpreter per container session.
//! <https://developers.openai.com/api/docs/pricing#tools>, as quoted in
//! <https://github.com/BerriAI/litellm/issues/34730> and, for containers, in
//! <https://github.com/simonw/llm/issues/1592> (read 2026-11-23).

use std::collections::BTreeSet;

use crate::event::{CallEvent, Json, Rejection};
use crate::usage::block::invalid;
use crate::usage::reading::Units;

/// The billed tool calls that an event's context names.
pub(super) fn units(event: &CallEvent) -> Result<Units, Rejection> {
    let items = list(event, "output_item_types")?;
    let calls = |kind: &str| count(items.iter().filter(|item| item.as_text() == Some(kind)));
    let containers = list(event, "container_ids")?.iter().filter_map(Json::as_text);
    let containers = count(containers.collect::<BTreeSet<_>>());
    // A session is known by its container; calls without any ran in at least one.
    let sessions = containers.max(calls("code_interpreter_call").min(1));
    Ok(vec![
        ("web_search_call", calls("web_search_call")),
        ("file_search_call", calls("file_search_call")),
        ("code_interpreter_session", sessions),
    ])
}

/// How many output items are of one of these kinds.
pub(super) fn calls(event: &CallEvent, kinds: &[&str]) -> Result<u64, Rejection> {
    let items = list(event, "output_item_types")?.iter().filter_map(Json::as_text);
    Ok(count(items.filter(|item| kinds.contains(item))))
}

fn list<'a>(event: &'a CallEvent, fact: &str) -> Result<&'a [Json], Rejection> {
    match event.fact(fact) {
        None => Ok(&[]),
        Some(Json::Array(items)) => Ok(items),
        Some(_) => Err(invalid(format!("`context.{fact}` is not a list"))),
    }
}

fn count<T>(items: impl IntoIterator<Item = T>) -> u64 {
    items.into_iter().fold(0, |count, _| count + 1)
}
