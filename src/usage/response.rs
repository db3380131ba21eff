//! Finds the usage blocks of an event and groups them by the response they belong to.
//!
//! In: `usage` as it was sent: one block, one response around it, the chunks of a stream, the lines
//! of a batch. Out: a [`Response`] for each identity that carries usage.

use std::collections::{BTreeMap, BTreeSet};

use super::block::{invalid, number};
use crate::event::{Json, Rejection};

/// More fields than any provider's usage object has.
const FIELDS_MAX: usize = 256;

/// Where a response, a stream's event or a batch's line keeps its usage block.
const BLOCKS: [&str; 15] = [
    "usage",
    "usageMetadata",
    "usage_metadata",
    "message.usage",
    "response.usage",
    "response.usageMetadata",
    "response.usage_metadata",
    "response.body.usage",
    "result.message.usage",
    "result.response.usageMetadata",
    "modelOutput.usage",
    "metadata.usage",
    "x_groq.usage",
    "usage_info",
    "meta",
];

/// Where they keep the identity of the response.
const IDENTITIES: [&str; 12] = [
    "provider_response_id",
    "response.id",
    "id",
    "message.id",
    "responseId",
    "response_id",
    "response.responseId",
    "response.response_id",
    "response.body.id",
    "result.message.id",
    "custom_id",
    "recordId",
];

/// Where they name the tier that served.
const TIERS: [&str; 6] = [
    "service_tier",
    "response.service_tier",
    "message.service_tier",
    "response.body.service_tier",
    "serviceTier.type",
    "metadata.serviceTier.type",
];

/// Events that each end something billed by itself, even where they name none.
const ENDS: [&str; 2] = ["response.done", "conversation.item.input_audio_transcription.completed"];

/// Fields around a usage block, none of them a counter: what has only these carries no usage.
const ENVELOPE: [&str; 32] = [
    "attempt",
    "candidates",
    "choices",
    "content_block",
    "created",
    "created_at",
    "custom_id",
    "delta",
    "error",
    "event_id",
    "id",
    "index",
    "item",
    "message",
    "model",
    "modelVersion",
    "object",
    "obfuscation",
    "output_index",
    "provider_response_id",
    "response",
    "responseId",
    "response_id",
    "result",
    "sequence_number",
    "service_tier",
    "status",
    "status_code",
    "system_fingerprint",
    "type",
    "usage",
    "usageMetadata",
];

/// One response and the blocks that report on it, in the order they came.
#[derive(Debug, Default)]
pub(super) struct Response<'a> {
    blocks: Vec<&'a Json>,
    kinds: Vec<&'a str>,
    tier: Option<&'a str>,
}

impl<'a> Response<'a> {
    /// The kinds of its stream's events, where they are named.
    pub fn kinds(&self) -> &[&'a str] {
        &self.kinds
    }

    /// The tier that the response names beside its usage.
    pub const fn tier(&self) -> Option<&'a str> {
        self.tier
    }

    const fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The blocks as one, each later one applied by the dialect's rule.
    pub fn merged(&self, update: fn(&mut Json, &Json)) -> Json {
        let mut blocks = self.blocks.iter();
        let mut merged = blocks.next().map_or(Json::Null, |first| (*first).clone());
        blocks.for_each(|later| update(&mut merged, later));
        merged
    }

    fn take(&mut self, element: &'a Json) -> Result<(), Rejection> {
        self.kinds.extend(at(element, "type").and_then(Json::as_text));
        self.tier = first(element, &TIERS).and_then(Json::as_text).or(self.tier);
        let block = first(element, &BLOCKS).or_else(|| is_bare(element).then_some(element));
        let Some(block) = block.filter(|block| counts_anything(block)) else { return Ok(()) };
        if !matches!(block, Json::Object(_)) {
            return Err(invalid("a usage block is not an object"));
        }
        if !is_bounded(block) {
            return Err(invalid(format!("a usage object has more than {FIELDS_MAX} fields")));
        }
        self.blocks.push(block);
        Ok(())
    }
}

/// The responses of an event that carry usage.
///
/// An element of an array without an identity belongs to the nearest earlier one that has one, or
/// to the first that does, unless it ended before.
pub(super) fn gather(usage: &Json) -> Result<Vec<Response<'_>>, Rejection> {
    let elements = match usage {
        Json::Null => &[],
        Json::Array(elements) => elements.as_slice(),
        Json::Object(_) => std::slice::from_ref(usage),
        _ => return Err(invalid("`usage` is neither an object nor a list")),
    };
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut responses = vec![Response::default()];
    let (mut current, mut has_ended) = (0, false);
    for element in elements {
        if !matches!(element, Json::Object(_) | Json::Null) {
            return Err(invalid("an element of `usage` is not an object"));
        }
        if let Some(identity) = identity(element) {
            let next = if places.is_empty() && !has_ended { 0 } else { responses.len() };
            current = *places.entry(identity).or_insert(next);
        } else if is_end(element) {
            has_ended = true;
            if responses.last().is_some_and(|last| !last.is_empty()) {
                current = responses.len();
            }
        }
        if current == responses.len() {
            responses.push(Response::default());
        }
        responses.get_mut(current).map_or(Ok(()), |response| response.take(element))?;
    }
    responses.retain(|response| !response.is_empty());
    Ok(responses)
}

/// The names of all fields that the blocks of these responses have.
pub(super) fn fields<'a>(responses: &[Response<'a>]) -> BTreeSet<&'a str> {
    let blocks = responses.iter().flat_map(|response| &response.blocks);
    let fields = blocks.flat_map(|block| block.as_object().unwrap_or_default());
    fields.filter(|(_, value)| *value != Json::Null).map(|(name, _)| name.as_str()).collect()
}

/// The usual rule of a stream: the counters are cumulative, the last value that is not null wins.
pub(super) fn last_value_wins(earlier: &mut Json, later: &Json) {
    match (earlier, later) {
        (_, Json::Null) => {}
        (Json::Object(known), Json::Object(fields)) => {
            for (name, value) in fields {
                match known.iter_mut().find(|(known, _)| known == name) {
                    Some((_, earlier)) => last_value_wins(earlier, value),
                    None => known.push((name.clone(), value.clone())),
                }
            }
        }
        (earlier, later) => *earlier = later.clone(),
    }
}

fn identity(element: &Json) -> Option<&str> {
    let texts = IDENTITIES.iter().filter_map(|path| at(element, path)?.as_text());
    texts.into_iter().find(|text| !text.is_empty())
}

fn is_end(element: &Json) -> bool {
    at(element, "type").and_then(Json::as_text).is_some_and(|kind| ENDS.contains(&kind))
}

fn is_bare(element: &Json) -> bool {
    let fields = element.as_object().unwrap_or_default();
    fields.iter().any(|(name, _)| !ENVELOPE.contains(&name.as_str()))
}

fn counts_anything(json: &Json) -> bool {
    match json {
        Json::Array(items) => items.iter().any(counts_anything),
        Json::Object(fields) => fields.iter().any(|(_, value)| counts_anything(value)),
        _ => number(json).is_some(),
    }
}

fn is_bounded(json: &Json) -> bool {
    match json {
        Json::Array(items) => items.iter().all(is_bounded),
        Json::Object(fields) => {
            fields.len() <= FIELDS_MAX && fields.iter().all(|(_, value)| is_bounded(value))
        }
        _ => true,
    }
}

fn first<'a>(element: &'a Json, paths: &[&str]) -> Option<&'a Json> {
    paths.iter().find_map(|path| at(element, path))
}

fn at<'a>(json: &'a Json, path: &str) -> Option<&'a Json> {
    path.split('.').try_fold(json, |json, name| json.field(name))
}
