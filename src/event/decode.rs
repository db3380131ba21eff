//! The raw call event, version 1, from JSON.
//!
//! In: bytes. Out: a [`CallEvent`] of allow-listed fields, or a [`Rejection`] that names the field
//! and what was expected. Never: an unlisted field, a default in place of something unreadable.

use std::collections::BTreeMap;

use super::shape::CALL_EVENT;
use super::{CallEvent, CallStatus, Json, Rejection, RejectionCode};
use crate::money::Decimal;
use crate::time::Timestamp;

/// An event may be so large as received.
pub const RECEIVED_BYTES_MAX: usize = 1 << 20;
/// An event may be so large as stored: its canonical form.
pub const STORED_BYTES_MAX: usize = 256 << 10;
/// Texts other than usage and context may be so long.
const TEXT_BYTES_MAX: usize = 1_024;
pub(super) const TAGS_MAX: usize = 16;
const TAG_KEY_BYTES_MAX: usize = 64;
const TAG_VALUE_BYTES_MAX: usize = 256;

/// Decodes one raw call event.
///
/// # Errors
/// A [`Rejection`]; it names the event whenever its id could be read.
pub fn decode_call_event(bytes: &[u8]) -> Result<CallEvent, Rejection> {
    if bytes.len() > RECEIVED_BYTES_MAX {
        return Err(too_large(bytes.len(), RECEIVED_BYTES_MAX, "as received"));
    }
    call_event_from(Json::read(bytes, &CALL_EVENT)?)
}

/// The event that an object of allow-listed fields describes.
///
/// # Errors
/// A [`Rejection`].
pub(super) fn call_event_from(document: Json) -> Result<CallEvent, Rejection> {
    let event_id = document.field("event_id").and_then(Json::as_text).map(str::to_owned);
    let checked = read_fields(document).and_then(check);
    checked.map_err(|rejection| match event_id {
        Some(id) => rejection.of(id.get(..TEXT_BYTES_MAX).unwrap_or(&id)),
        None => rejection,
    })
}

fn read_fields(document: Json) -> Result<CallEvent, Rejection> {
    let Json::Object(fields) = document else {
        let message = format!("an event is an object, not {}", document.kind());
        return Err(Rejection::new(RejectionCode::InvalidJson, message));
    };
    let mut event = CallEvent::new("", "", Timestamp::EPOCH, "", "");
    let mut dated = false;
    for (key, value) in fields {
        if value == Json::Null {
            continue;
        }
        if key == "occurred_at" {
            event.occurred_at = timestamp(&key, &value)?;
            dated = true;
        } else if !set_text(&mut event, &key, &value)? {
            set_other(&mut event, &key, value)?;
        }
    }
    if dated { Ok(event) } else { Err(missing("occurred_at")) }
}

/// Sets a field that is a text; says whether there is one of that name.
fn set_text(event: &mut CallEvent, key: &str, value: &Json) -> Result<bool, Rejection> {
    if let Some(slot) = event.who.field_mut(key) {
        *slot = Some(text(key, value)?);
        return Ok(true);
    }
    let slot = match key {
        "event_id" => return set_required(&mut event.event_id, key, value),
        "source" => return set_required(&mut event.source, key, value),
        "provider" => return set_required(&mut event.provider, key, value),
        "model" => return set_required(&mut event.model, key, value),
        "api" => &mut event.api,
        "usage_dialect" => &mut event.usage_dialect,
        "request_model" => &mut event.request_model,
        "operation" => &mut event.operation,
        "service_tier" => &mut event.service_tier,
        "region" => &mut event.region,
        "deployment" => &mut event.deployment,
        "trace_id" => &mut event.trace_id,
        "operation_id" => &mut event.operation_id,
        "parent_id" => &mut event.parent_id,
        "step" => &mut event.step,
        "fallback_of" => &mut event.fallback_of,
        "provider_response_id" => &mut event.provider_response_id,
        "error_type" => &mut event.error_type,
        "reported_cost_source" => &mut event.reported_cost_source,
        _ => return Ok(false),
    };
    *slot = Some(text(key, value)?);
    Ok(true)
}

fn set_required(slot: &mut String, key: &str, value: &Json) -> Result<bool, Rejection> {
    *slot = text(key, value)?;
    Ok(true)
}

fn set_other(event: &mut CallEvent, key: &str, value: Json) -> Result<(), Rejection> {
    match key {
        "usage" => event.usage = Some(block(key, value, true)?),
        "context" => event.context = Some(block(key, value, false)?),
        "tags" => event.tags = tags(&value)?,
        "attempt" => event.attempt = Some(count(key, &value)?),
        "http_status" => event.http_status = Some(count(key, &value)?),
        "latency_ms" => event.latency_ms = Some(count(key, &value)?),
        "ttft_ms" => event.ttft_ms = Some(count(key, &value)?),
        "stream" => event.stream = Some(truth(key, &value)?),
        "gateway_cache_hit" => event.gateway_cache_hit = Some(truth(key, &value)?),
        "provisional" => event.provisional = truth(key, &value)?,
        "corrects" => event.corrects = truth(key, &value)?,
        "reported_cost" => event.reported_cost = Some(amount(key, &value)?),
        "status" => {
            let name = text(key, &value)?;
            let status = CallStatus::from_name(&name);
            event.status = status.ok_or_else(|| wrong(key, "`ok`, `failed` or `aborted`"))?;
        }
        _ => {}
    }
    Ok(())
}

/// Whether everything required is there, and the whole is not too large.
fn check(event: CallEvent) -> Result<CallEvent, Rejection> {
    let required = [
        ("event_id", &event.event_id),
        ("source", &event.source),
        ("provider", &event.provider),
        ("model", &event.model),
    ];
    if let Some((name, _)) = required.into_iter().find(|(_, value)| value.is_empty()) {
        return Err(missing(name));
    }
    let stored = event.stored_bytes();
    if stored > STORED_BYTES_MAX {
        return Err(too_large(stored, STORED_BYTES_MAX, "as stored"));
    }
    Ok(event)
}

fn text(key: &str, value: &Json) -> Result<String, Rejection> {
    let text = value.as_text().ok_or_else(|| wrong(key, "a text"))?;
    if text.len() > TEXT_BYTES_MAX {
        return Err(wrong(key, &format!("at most {TEXT_BYTES_MAX} bytes")));
    }
    Ok(text.to_owned())
}

fn count<T: TryFrom<u64>>(key: &str, value: &Json) -> Result<T, Rejection> {
    let count = value.as_number().and_then(Decimal::to_count);
    count.and_then(|count| T::try_from(count).ok()).ok_or_else(|| wrong(key, "a whole number"))
}

fn truth(key: &str, value: &Json) -> Result<bool, Rejection> {
    value.as_bool().ok_or_else(|| wrong(key, "`true` or `false`"))
}

/// A decimal amount: a number, or a text that is one.
fn amount(key: &str, value: &Json) -> Result<Decimal, Rejection> {
    let amount = value.as_number().or_else(|| value.as_text().and_then(|text| text.parse().ok()));
    amount.ok_or_else(|| wrong(key, "a decimal amount in USD"))
}

fn timestamp(key: &str, value: &Json) -> Result<Timestamp, Rejection> {
    let read = match value {
        Json::Text(text) => text.parse().ok(),
        Json::Number(number) => {
            let millis = number.rescaled(0).and_then(|millis| i64::try_from(millis).ok());
            millis.and_then(Timestamp::from_millis)
        }
        _ => None,
    };
    let expected = "an RFC 3339 text or milliseconds since 1970";
    read.ok_or_else(|| {
        Rejection::new(RejectionCode::InvalidTimestamp, format!("`{key}`: expected {expected}"))
    })
}

fn block(key: &str, value: Json, list_allowed: bool) -> Result<Json, Rejection> {
    match value {
        Json::Object(_) => Ok(value),
        Json::Array(_) if list_allowed => Ok(value),
        _ if list_allowed => Err(wrong(key, "an object, or a list of objects")),
        _ => Err(wrong(key, "an object")),
    }
}

fn tags(value: &Json) -> Result<BTreeMap<String, String>, Rejection> {
    let fields = value.as_object().ok_or_else(|| wrong("tags", "an object of texts"))?;
    let too_many = |what: String| Rejection::new(RejectionCode::TooManyTags, what);
    if fields.len() > TAGS_MAX {
        return Err(too_many(format!("`tags`: expected at most {TAGS_MAX}")));
    }
    let mut tags = BTreeMap::new();
    for (key, value) in fields.iter().filter(|(_, value)| *value != Json::Null) {
        let value = match value {
            Json::Text(text) => text.clone(),
            Json::Array(_) | Json::Object(_) => return Err(wrong("tags", "an object of texts")),
            other => other.to_string(),
        };
        if !is_tag(key, &value) {
            return Err(too_many(format!(
                "`tags`: expected keys of at most {TAG_KEY_BYTES_MAX} bytes and values of at most \
                 {TAG_VALUE_BYTES_MAX}"
            )));
        }
        tags.insert(key.clone(), value);
    }
    Ok(tags)
}

/// Whether key and value are short enough.
pub(super) fn is_tag(key: &str, value: &str) -> bool {
    key.len() <= TAG_KEY_BYTES_MAX && value.len() <= TAG_VALUE_BYTES_MAX
}

fn wrong(key: &str, expected: &str) -> Rejection {
    Rejection::new(RejectionCode::InvalidField, format!("`{key}`: expected {expected}"))
}

fn missing(key: &str) -> Rejection {
    Rejection::new(RejectionCode::MissingField, format!("`{key}` is required"))
}

pub(super) fn too_large(bytes: usize, limit: usize, how: &str) -> Rejection {
    let message = format!("{bytes} bytes {how}, expected at most {limit}");
    Rejection::new(RejectionCode::EventTooLarge, message)
}
