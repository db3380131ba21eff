//! The values of an event's fields: read out of JSON, and lent out to be written.
//!
//! In: a value that is not null. Out: what the field holds, or a [`Fault`] that says what was
//! expected. Never: the value in a fault, since it may be a prompt.

use std::collections::BTreeMap;

use super::{CallStatus, Json, RejectionCode};
use crate::money::Decimal;
use crate::time::Timestamp;

/// A text other than those in usage and context may be so long.
pub(super) const TEXT_BYTES_MAX: usize = 1_024;
/// An event may have so many tags.
pub(super) const TAGS_MAX: usize = 16;
const TAG_KEY_BYTES_MAX: usize = 64;
const TAG_VALUE_BYTES_MAX: usize = 256;

/// A field's value, borrowed from its event.
pub(super) enum Value<'e> {
    Text(&'e str),
    Count(u64),
    Truth(bool),
    Amount(Decimal),
    Instant(Timestamp),
    Block(&'e Json),
    Tags(&'e BTreeMap<String, String>),
}

/// What is wrong with a field's value: the code, and what was expected.
pub(super) struct Fault {
    /// The code.
    pub code: RejectionCode,
    /// What was expected.
    pub expected: String,
}

fn expected(what: impl Into<String>) -> Fault {
    Fault { code: RejectionCode::InvalidField, expected: what.into() }
}

/// A text.
pub(super) fn text(value: Json) -> Result<String, Fault> {
    match value {
        Json::Text(text) if text.len() <= TEXT_BYTES_MAX => Ok(text),
        Json::Text(_) => Err(expected(format!("at most {TEXT_BYTES_MAX} bytes"))),
        _ => Err(expected("a text")),
    }
}

/// A text that is not empty.
pub(super) fn required(value: Json) -> Result<String, Fault> {
    let text = text(value)?;
    if text.is_empty() {
        let expected = "a text that is not empty".to_owned();
        return Err(Fault { code: RejectionCode::MissingField, expected });
    }
    Ok(text)
}

/// A whole number.
pub(super) fn count<T: TryFrom<u64>>(value: Json) -> Result<T, Fault> {
    let count = value.as_number().and_then(Decimal::to_count);
    let count = count.and_then(|count| T::try_from(count).ok());
    count.ok_or_else(|| expected("a whole number"))
}

/// A truth value.
pub(super) fn truth(value: Json) -> Result<bool, Fault> {
    value.as_bool().ok_or_else(|| expected("`true` or `false`"))
}

/// A decimal amount: a number, or a text that is one.
pub(super) fn amount(value: Json) -> Result<Decimal, Fault> {
    let amount = match &value {
        Json::Text(text) => super::reader::number(text),
        other => other.as_number(),
    };
    amount.ok_or_else(|| expected("a decimal amount in USD"))
}

/// RFC 3339, or milliseconds since 1970.
pub(super) fn instant(value: &Json) -> Result<Timestamp, Fault> {
    let read = match value {
        Json::Text(text) => text.parse().ok(),
        Json::Number(number) => {
            let millis = number.rescaled(0).and_then(|millis| i64::try_from(millis).ok());
            millis.and_then(Timestamp::from_millis)
        }
        _ => None,
    };
    let expected = "an RFC 3339 text or milliseconds since 1970".to_owned();
    read.ok_or(Fault { code: RejectionCode::InvalidTimestamp, expected })
}

/// How the call ended.
pub(super) fn status(value: &Json) -> Result<CallStatus, Fault> {
    let status = value.as_text().and_then(CallStatus::from_name);
    status.ok_or_else(|| expected("`ok`, `failed` or `aborted`"))
}

/// A provider's usage: one object or several.
pub(super) fn usage(value: Json) -> Result<Json, Fault> {
    match value {
        Json::Object(_) | Json::Array(_) => Ok(value),
        _ => Err(expected("an object, or a list of objects")),
    }
}

/// Call facts: an object. Its `base_url` loses what may be a secret.
pub(super) fn context(value: Json) -> Result<Json, Fault> {
    let Json::Object(mut facts) = value else { return Err(expected("an object")) };
    let urls = facts.iter_mut().filter(|(key, _)| key == "base_url");
    for (_, url) in urls {
        if let Json::Text(text) = url {
            *text = without_secrets(text);
        }
    }
    Ok(Json::Object(facts))
}

/// A URL without user, password, query and fragment: keys are sent in each of them.
fn without_secrets(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let url = url.get(..end).unwrap_or(url);
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

/// Free tags: texts; numbers and truth values become their text.
pub(super) fn tags(value: Json) -> Result<BTreeMap<String, String>, Fault> {
    let Json::Object(fields) = value else { return Err(expected("an object of texts")) };
    let too_many = |expected: String| Fault { code: RejectionCode::TooManyTags, expected };
    if fields.len() > TAGS_MAX {
        return Err(too_many(format!("at most {TAGS_MAX}")));
    }
    let mut tags = BTreeMap::new();
    for (key, value) in fields {
        let value = match value {
            Json::Null => continue,
            Json::Text(text) => text,
            Json::Array(_) | Json::Object(_) => return Err(expected("an object of texts")),
            other => other.to_string(),
        };
        if !is_tag(&key, &value) {
            return Err(too_many(format!(
                "keys of at most {TAG_KEY_BYTES_MAX} bytes and values of at most \
                 {TAG_VALUE_BYTES_MAX}"
            )));
        }
        tags.insert(key, value);
    }
    Ok(tags)
}

/// Whether key and value are short enough.
pub(super) fn is_tag(key: &str, value: &str) -> bool {
    key.len() <= TAG_KEY_BYTES_MAX && value.len() <= TAG_VALUE_BYTES_MAX
}

impl From<Value<'_>> for Json {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Text(text) => Self::Text(text.to_owned()),
            Value::Count(count) => Self::Number(count.into()),
            Value::Truth(truth) => Self::Bool(truth),
            Value::Amount(amount) => Self::Number(amount),
            Value::Instant(instant) => Self::Text(instant.to_string()),
            Value::Block(block) => block.clone(),
            Value::Tags(tags) => {
                let tags = tags.iter().map(|(key, tag)| (key.clone(), Self::Text(tag.clone())));
                Self::Object(tags.collect())
            }
        }
    }
}
