//! The standard logging payload of LiteLLM's `generic_api` callback.
//!
//! In: one payload, about 10 KB of which most is a price map and the conversation. Out: a
//! [`CallEvent`], by way of the raw event's own fields, so that what they allow holds here, too.
//! `event_id` is the payload's `id` (else `litellm_call_id`), `source` is `litellm`, the time is
//! that of the call's end. Token detail stands in `metadata.usage_object` only; LiteLLM's own cost,
//! a float, is kept as reported and never summed as truth.
//!
//! Source: payloads posted by LiteLLM 1.106.2 and 1.109.1, and its documentation at
//! <https://docs.litellm.ai/docs/proxy/logging_spec>, read 2026-11-23.

use std::collections::BTreeMap;

use super::decode::find_id;
use super::draft::{Draft, Undecoded, check_received, missing};
use super::shape::{Shape, USAGE};
use super::value::{TAGS_MAX, is_tag};
use super::{CallEvent, CallStatus, Json, Rejection, RejectionCode, Who};
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

/// Columns that LiteLLM's own keys fill, whatever tags say.
const FROM_KEYS: [&str; 2] = ["api_key", "user_id"];

/// LiteLLM's own remarks among the caller's metadata.
const REMARKS: [&str; 1] = ["used_client_oauth_token"];

/// Decodes one payload.
///
/// # Errors
/// A [`Rejection`] that names the field and what was expected.
pub fn decode_litellm(bytes: &[u8]) -> Result<CallEvent, Rejection> {
    read_litellm(bytes).map_err(|undecoded| undecoded.rejection)
}

/// Decodes one payload, or says what of it could be read.
///
/// # Errors
/// [`Undecoded`], with the same rejection as from [`decode_litellm`].
pub fn read_litellm(bytes: &[u8]) -> Result<CallEvent, Box<Undecoded>> {
    let payload = read_payload(bytes).map_err(|rejection| {
        let id = find_id(bytes, &["id", "litellm_call_id"]);
        let rejection = id.iter().fold(rejection, |rejection, id| rejection.of(id));
        Box::<Undecoded>::from(rejection)
    })?;
    let mut draft = Draft::new();
    put_call(&mut draft, &payload);
    put_outcome(&mut draft, &payload);
    put_times(&mut draft, &payload);
    put_who(&mut draft, &payload);
    draft.finish(bytes.len())
}

fn read_payload(bytes: &[u8]) -> Result<Json, Rejection> {
    check_received(bytes)?;
    let payload = Json::read(bytes, &LITELLM)?;
    if payload.as_object().is_none() {
        let message = format!("a payload is an object, not {}", payload.kind());
        return Err(Rejection::new(RejectionCode::InvalidJson, message));
    }
    Ok(payload)
}

fn put_call(draft: &mut Draft, payload: &Json) {
    let (operation, api) = operation(text(payload, "call_type").unwrap_or_default());
    draft.put_text("source", Some(SOURCE));
    draft.put_text("provider", Some(PROVIDER));
    draft.put_text("usage_dialect", Some(PROVIDER));
    draft.put_text("operation", Some(operation).filter(|name| !name.is_empty()));
    draft.put_text("api", Some(api));
    let Some(model) = text(payload, "model") else { return draft.refuse(missing("model")) };
    let response = payload.field("response");
    draft.put_text("model", response.and_then(|it| text(it, "model")).or(Some(model)));
    draft.put_text("request_model", text(payload, "model_group").or(Some(model)));
    let tier = |part| text(payload.field(part)?, "service_tier");
    draft.put_text("service_tier", tier("response").or_else(|| tier("cost_breakdown")));
    draft.put_text("trace_id", text(payload, "trace_id"));
    draft.put("stream", payload.field("stream").filter(|it| it.as_bool().is_some()).cloned());
    draft.put("usage", usage(payload));
    draft.put("context", context(payload, model));
    let cost = payload.field("response_cost").filter(|cost| cost.as_number().is_some());
    draft.put("reported_cost", cost.cloned());
    draft.put_text("reported_cost_source", cost.map(|_| SOURCE));
    let finalized = payload.field("cost_finalized").and_then(Json::as_bool) == Some(true);
    draft.put("corrects", finalized.then_some(Json::Bool(true)));
}

/// The operation and the API that LiteLLM's name of a call stands for.
/// `CallTypes` in <https://github.com/BerriAI/litellm/blob/main/litellm/types/utils.py>, read
/// 2026-11-23 as of 1.106.2.
fn operation(call_type: &str) -> (&str, &'static str) {
    match call_type {
        "completion"
        | "acompletion"
        | "anthropic_messages"
        | "aanthropic_messages"
        | "generate_content"
        | "agenerate_content"
        | "generate_content_stream"
        | "agenerate_content_stream" => ("chat", "chat.completions"),
        "text_completion" | "atext_completion" => ("text_completion", "chat.completions"),
        "responses" | "aresponses" => ("responses", "chat.completions"),
        "embedding" | "aembedding" => ("embeddings", "embeddings"),
        "image_generation" | "aimage_generation" | "image_edit" | "aimage_edit" => {
            ("image", "images")
        }
        "transcription" | "atranscription" | "speech" | "aspeech" => ("audio", "audio"),
        "rerank" | "arerank" => ("rerank", "rerank"),
        "retrieve_batch" | "aretrieve_batch" => ("batch", "batch"),
        other => (other, "chat.completions"),
    }
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
    Some(Json::Object(fields.collect()))
}

fn put_times(draft: &mut Draft, payload: &Json) {
    match seconds(payload, "endTime") {
        Ok(Some(ended)) => {
            draft.put_text("occurred_at", Some(&ended.to_string()));
            put_durations(draft, payload, ended);
        }
        Ok(None) => draft.refuse(missing("endTime")),
        Err(rejection) => draft.refuse(rejection),
    }
}

/// How long it took; a start that cannot be read leaves that open.
fn put_durations(draft: &mut Draft, payload: &Json, ended: Timestamp) {
    let Ok(Some(started)) = seconds(payload, "startTime") else { return };
    let millis = |to: Timestamp| u64::try_from(to.micros_since(started) / 1_000).ok();
    let number = |millis: u64| Json::Number(millis.into());
    draft.put("latency_ms", millis(ended).map(number));
    if payload.field("stream").and_then(Json::as_bool) == Some(true)
        && let Ok(Some(first)) = seconds(payload, "completionStartTime")
    {
        draft.put("ttft_ms", millis(first).map(number));
    }
}

/// How it ended, and whether LiteLLM answered from its own cache: then the id carries a suffix.
fn put_outcome(draft: &mut Draft, payload: &Json) {
    let id = text(payload, "id").or_else(|| text(payload, "litellm_call_id"));
    let Some(id) = id else { return draft.refuse(missing("id")) };
    draft.put_text("event_id", Some(id));
    let provider_id = without_hit_suffix(id);
    let said = payload.field("cache_hit").and_then(|hit| match hit {
        Json::Text(text) => Some(text.eq_ignore_ascii_case("true")),
        other => other.as_bool(),
    });
    let hit = if provider_id.is_some() { Some(true) } else { said };
    draft.put("gateway_cache_hit", hit.map(Json::Bool));
    if text(payload, "status") != Some("failure") {
        return draft.put_text("provider_response_id", provider_id.or(Some(id)));
    }
    draft.put_text("status", Some(CallStatus::Failed.name()));
    let error = payload.field("error_information");
    draft.put_text("error_type", error.and_then(|error| text(error, "error_class")));
    let code = error.and_then(|error| text(error, "error_code")?.parse::<u16>().ok());
    draft.put("http_status", code.map(|code| Json::Number(u64::from(code).into())));
}

/// The id in front of the suffix that marks an answer from LiteLLM's cache.
fn without_hit_suffix(id: &str) -> Option<&str> {
    let (front, rest) = id.rsplit_once("_cache_hit")?;
    rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.').then_some(front)
}

/// What the caller and LiteLLM's own keys say: claims, all of it. A column's own tag is the last
/// word.
fn put_who(draft: &mut Draft, payload: &Json) {
    let none = Json::Null;
    let metadata = payload.field("metadata").unwrap_or(&none);
    let parameters = payload.field("model_parameters").unwrap_or(&none);
    let first = |keys: &[&str]| keys.iter().find_map(|key| text(metadata, key));
    draft.put_text("team", first(&["user_api_key_team_alias", "user_api_key_team_id"]));
    draft.put_text("api_key", first(&["user_api_key_alias", "user_api_key_hash"]));
    draft.put_text("project", first(&["user_api_key_project_alias", "user_api_key_project_id"]));
    draft.put_text("business_unit", first(&["user_api_key_org_alias", "user_api_key_org_id"]));
    draft.put_text("user_id", first(&["user_api_key_user_id"]));
    let customer = text(payload, "end_user").or_else(|| text(parameters, "user"));
    draft.put_text("customer", customer.or_else(|| first(&["user_api_key_end_user_id"])));
    let tags = tags(payload, metadata);
    for column in Who::FIELDS.into_iter().filter(|column| !FROM_KEYS.contains(column)) {
        draft.put_text(column, tags.get(column).map(String::as_str));
    }
    let tags = tags.into_iter().map(|(key, value)| (key, Json::Text(value))).collect();
    draft.put("tags", Some(Json::Object(tags)));
}

/// Tags as `key:value` or alone, and the caller's flat metadata. What is no tag or too long is left
/// out: a user agent, a text of the caller's.
fn tags(payload: &Json, metadata: &Json) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    for part in ["requester_metadata", "spend_logs_metadata"] {
        for (key, value) in metadata.field(part).and_then(Json::as_object).unwrap_or_default() {
            let tag = match value {
                Json::Text(text) => text.clone(),
                Json::Number(_) | Json::Bool(_) if !REMARKS.contains(&key.as_str()) => {
                    value.to_string()
                }
                _ => continue,
            };
            tags.insert(key.clone(), tag);
        }
    }
    for tag in payload.field("request_tags").and_then(Json::as_array).unwrap_or_default() {
        let tag = tag.as_text().unwrap_or_default();
        let (key, value) = tag.split_once(':').unwrap_or((tag, "true"));
        if !["", "User-Agent"].contains(&key.trim()) {
            tags.insert(key.trim().to_owned(), value.trim().to_owned());
        }
    }
    tags.retain(|key, value| is_tag(key, value) && !value.is_empty());
    while tags.len() > TAGS_MAX {
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
