//! The standard logging payload of LiteLLM's `generic_api` callback.
//!
//! In: one payload, about 10 KB of which most is a price map and the conversation. Out: a
//! [`CallEvent`]. Token detail stands in `metadata.usage_object` only; LiteLLM's own cost, a float,
//! is kept as reported and never summed as truth.
//!
//! Source: payloads posted by LiteLLM 1.106.2 and 1.109.1, and its documentation at
//! <https://docs.litellm.ai/docs/proxy/logging_spec>, read 2026-11-23.

use std::collections::BTreeMap;

use super::decode::{RECEIVED_BYTES_MAX, STORED_BYTES_MAX, too_large};
use super::shape::{Shape, USAGE};
use super::{CallEvent, CallStatus, Json, Rejection, RejectionCode};
use crate::money::Decimal;
use crate::time::Timestamp;

/// The `source` of events that name no instance.
const SOURCE: &str = "litellm";
/// The provider of usage blocks that LiteLLM has normalized.
const PROVIDER: &str = "litellm_proxy";

/// What is kept of a payload.
pub const LITELLM: Shape = Shape::Fields(&[
    ("id", Shape::Scalar),
    ("litellm_call_id", Shape::Scalar),
    ("trace_id", Shape::Scalar),
    ("call_type", Shape::Scalar),
    ("cache_hit", Shape::Scalar),
    ("stream", Shape::Scalar),
    ("status", Shape::Scalar),
    ("custom_llm_provider", Shape::Scalar),
    ("startTime", Shape::Scalar),
    ("endTime", Shape::Scalar),
    ("completionStartTime", Shape::Scalar),
    ("model", Shape::Scalar),
    ("model_group", Shape::Scalar),
    ("metadata", METADATA),
    ("cost_finalized", Shape::Scalar),
    ("response_cost", Shape::Scalar),
    ("request_tags", Shape::List(&Shape::Scalar)),
    ("end_user", Shape::Scalar),
    ("api_base", Shape::Scalar),
    ("model_parameters", Shape::Fields(&[("user", Shape::Scalar), ("stream", Shape::Scalar)])),
    ("hidden_params", Shape::Fields(&[("api_base", Shape::Scalar)])),
    ("response", Shape::Fields(&[("model", Shape::Scalar), ("service_tier", Shape::Scalar)])),
    ("cost_breakdown", Shape::Fields(&[("service_tier", Shape::Scalar)])),
    (
        "error_information",
        Shape::Fields(&[("error_code", Shape::Scalar), ("error_class", Shape::Scalar)]),
    ),
]);

const METADATA: Shape = Shape::Fields(&[
    ("usage_object", USAGE),
    ("user_api_key_hash", Shape::Scalar),
    ("user_api_key_alias", Shape::Scalar),
    ("user_api_key_team_id", Shape::Scalar),
    ("user_api_key_team_alias", Shape::Scalar),
    ("user_api_key_org_id", Shape::Scalar),
    ("user_api_key_org_alias", Shape::Scalar),
    ("user_api_key_project_id", Shape::Scalar),
    ("user_api_key_project_alias", Shape::Scalar),
    ("user_api_key_user_id", Shape::Scalar),
    ("user_api_key_end_user_id", Shape::Scalar),
    ("spend_logs_metadata", Shape::Labels),
    ("requester_metadata", Shape::Labels),
]);

/// Which columns the caller's own metadata fill, by key.
const WHO_KEYS: [&str; 9] = [
    "tenant",
    "team",
    "product",
    "feature",
    "environment",
    "customer",
    "business_unit",
    "cost_center",
    "project",
];

/// Decodes one payload.
///
/// # Errors
/// A [`Rejection`] that names the field and what was expected.
pub fn decode_litellm(bytes: &[u8]) -> Result<CallEvent, Rejection> {
    if bytes.len() > RECEIVED_BYTES_MAX {
        return Err(too_large(bytes.len(), RECEIVED_BYTES_MAX, "as received"));
    }
    let payload = Json::read(bytes, &LITELLM)?;
    if payload.as_object().is_none() {
        let message = format!("a payload is an object, not {}", payload.kind());
        return Err(Rejection::new(RejectionCode::InvalidJson, message));
    }
    let id = text(&payload, "id").or_else(|| text(&payload, "litellm_call_id"));
    let id = id.ok_or_else(|| Rejection::new(RejectionCode::MissingField, "`id` is required"))?;
    let event = event_of(&payload, id).map_err(|rejection| rejection.of(id))?;
    let stored = event.stored_bytes();
    if stored > STORED_BYTES_MAX {
        return Err(too_large(stored, STORED_BYTES_MAX, "as stored").of(id));
    }
    Ok(event)
}

fn event_of(payload: &Json, id: &str) -> Result<CallEvent, Rejection> {
    let model = text(payload, "model")
        .ok_or_else(|| Rejection::new(RejectionCode::MissingField, "`model` is required"))?;
    let ended = seconds(payload, "endTime")?
        .ok_or_else(|| Rejection::new(RejectionCode::MissingField, "`endTime` is required"))?;
    let response = payload.field("response");
    let answered = response.and_then(|response| text(response, "model")).unwrap_or(model);
    let mut event = CallEvent::new(id, SOURCE, ended, PROVIDER, answered);
    event.api = Some("chat.completions".to_owned());
    event.usage_dialect = Some(PROVIDER.to_owned());
    event.request_model = Some(text(payload, "model_group").unwrap_or(model).to_owned());
    event.usage = usage(payload);
    event.context = context(payload, model);
    event.operation = text(payload, "call_type").map(str::to_owned);
    event.service_tier = ["response", "cost_breakdown"]
        .into_iter()
        .find_map(|part| text(payload.field(part)?, "service_tier"))
        .map(str::to_owned);
    event.trace_id = text(payload, "trace_id").map(str::to_owned);
    event.stream = payload.field("stream").and_then(Json::as_bool);
    event.reported_cost = payload.field("response_cost").and_then(Json::as_number);
    event.reported_cost_source = event.reported_cost.map(|_| SOURCE.to_owned());
    event.corrects = payload.field("cost_finalized").and_then(Json::as_bool) == Some(true);
    set_times(&mut event, payload, ended)?;
    set_outcome(&mut event, payload, id);
    set_who(&mut event, payload);
    Ok(event)
}

/// Absent, null and empty usage is unknown, never zero.
fn usage(payload: &Json) -> Option<Json> {
    let usage = payload.field("metadata")?.field("usage_object")?;
    Some(usage.clone()).filter(|usage| usage.as_object().is_some_and(|fields| !fields.is_empty()))
}

/// The vendor is a fact that prices depend on: LiteLLM's name is a dialect, not a price namespace.
fn context(payload: &Json, model: &str) -> Option<Json> {
    let base = text(payload, "api_base");
    let base = base.or_else(|| text(payload.field("hidden_params")?, "api_base"));
    let facts = [
        ("base_url", base),
        ("custom_llm_provider", text(payload, "custom_llm_provider")),
        ("litellm_model", Some(model)),
    ];
    let present = facts.into_iter().filter_map(|(key, value)| Some((key, value?)));
    let fields = present.map(|(key, value)| (key.to_owned(), Json::Text(value.to_owned())));
    let fields: Vec<(String, Json)> = fields.collect();
    (!fields.is_empty()).then_some(Json::Object(fields))
}

fn set_times(event: &mut CallEvent, payload: &Json, ended: Timestamp) -> Result<(), Rejection> {
    let started = seconds(payload, "startTime")?;
    let first = seconds(payload, "completionStartTime")?;
    let millis = |from: Timestamp, to: Timestamp| u64::try_from(to.micros_since(from) / 1_000).ok();
    event.latency_ms = started.and_then(|started| millis(started, ended));
    if event.stream == Some(true) {
        event.ttft_ms = started.zip(first).and_then(|(started, first)| millis(started, first));
    }
    Ok(())
}

/// How it ended, and whether LiteLLM answered from its own cache: then the id carries a suffix.
fn set_outcome(event: &mut CallEvent, payload: &Json, id: &str) {
    let (provider_id, suffixed) = match id.rsplit_once("_cache_hit") {
        Some((front, rest)) if rest.bytes().all(|b| b.is_ascii_digit() || b == b'.') => {
            (front, true)
        }
        _ => (id, false),
    };
    event.provider_response_id = Some(provider_id.to_owned());
    let said = payload.field("cache_hit").and_then(|hit| match hit {
        Json::Text(text) => Some(text == "True" || text == "true"),
        other => other.as_bool(),
    });
    event.gateway_cache_hit = if suffixed { Some(true) } else { said };
    if text(payload, "status") == Some("failure") {
        event.status = CallStatus::Failed;
        if let Some(error) = payload.field("error_information") {
            event.error_type = text(error, "error_class").map(str::to_owned);
            event.http_status = text(error, "error_code").and_then(|code| code.parse().ok());
        }
    }
}

/// What the caller and LiteLLM's own keys say: claims, all of it.
fn set_who(event: &mut CallEvent, payload: &Json) {
    let none = Json::Null;
    let metadata = payload.field("metadata").unwrap_or(&none);
    let first = |keys: &[&str]| keys.iter().find_map(|key| text(metadata, key)).map(str::to_owned);
    let parameters = payload.field("model_parameters").unwrap_or(&none);
    event.who.team = first(&["user_api_key_team_alias", "user_api_key_team_id"]);
    event.who.api_key = first(&["user_api_key_alias", "user_api_key_hash"]);
    event.who.project = first(&["user_api_key_project_alias", "user_api_key_project_id"]);
    event.who.business_unit = first(&["user_api_key_org_alias", "user_api_key_org_id"]);
    event.who.user_id = first(&["user_api_key_user_id"]);
    let customer = text(payload, "end_user").or_else(|| text(parameters, "user"));
    event.who.customer =
        customer.map(str::to_owned).or_else(|| first(&["user_api_key_end_user_id"]));
    event.tags = tags(payload, metadata);
    for key in WHO_KEYS {
        if let Some(value) = event.tags.get(key).cloned()
            && let Some(slot) = event.who.field_mut(key)
        {
            *slot = Some(value);
        }
    }
}

/// Tags as `key:value`, and the caller's flat metadata. What is no tag or too long is left out: a
/// user agent, a text of the caller's.
fn tags(payload: &Json, metadata: &Json) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    for part in ["requester_metadata", "spend_logs_metadata"] {
        for (key, value) in metadata.field(part).and_then(Json::as_object).unwrap_or_default() {
            match value {
                Json::Text(text) => tags.insert(key.clone(), text.clone()),
                Json::Number(_) | Json::Bool(_) => tags.insert(key.clone(), value.to_string()),
                _ => None,
            };
        }
    }
    for tag in payload.field("request_tags").and_then(Json::as_array).unwrap_or_default() {
        let tag = tag.as_text().and_then(|tag| tag.split_once(':'));
        if let Some((key, value)) = tag.filter(|(key, _)| *key != "User-Agent") {
            tags.insert(key.trim().to_owned(), value.trim().to_owned());
        }
    }
    tags.retain(|key, value| super::decode::is_tag(key, value));
    while tags.len() > super::decode::TAGS_MAX {
        tags.pop_last();
    }
    tags
}

/// The text of a field; an empty one says nothing.
fn text<'a>(json: &'a Json, key: &str) -> Option<&'a str> {
    json.field(key)?.as_text().filter(|text| !text.is_empty())
}

/// Seconds since the epoch as LiteLLM writes them: a decimal number.
fn seconds(payload: &Json, key: &str) -> Result<Option<Timestamp>, Rejection> {
    let Some(value) = payload.field(key) else { return Ok(None) };
    let wrong = || {
        let message = format!("`{key}`: expected seconds since 1970 or an RFC 3339 text");
        Rejection::new(RejectionCode::InvalidTimestamp, message)
    };
    let instant = match value {
        Json::Number(seconds) => {
            let micros = seconds.checked_mul(Decimal::from(1_000_000)).map(Decimal::floor);
            micros.and_then(|micros| i64::try_from(micros).ok()).and_then(Timestamp::from_micros)
        }
        Json::Text(text) => text.parse().ok(),
        _ => None,
    };
    instant.map(Some).ok_or_else(wrong)
}
