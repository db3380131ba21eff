//! Writes JSON text: compact, numbers exact in plain notation.

use std::fmt::{Display, Write};

use super::Json;
use super::value::Value;

/// Appends a value.
pub(super) fn write(out: &mut String, json: &Json) {
    match json {
        Json::Null => out.push_str("null"),
        Json::Bool(truth) => write_plain(out, truth),
        Json::Number(number) => match number.to_count() {
            Some(count) => write_plain(out, &count),
            None => write_plain(out, number),
        },
        Json::Text(text) => write_text(out, text),
        Json::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write(out, item);
            }
            out.push(']');
        }
        Json::Object(fields) => {
            let mut object = Object::begin(out);
            fields.iter().for_each(|(key, value)| write(object.key(key), value));
            object.end();
        }
    }
}

/// Appends the value of an event's field.
pub(super) fn write_value(out: &mut String, value: &Value<'_>) {
    match value {
        Value::Text(text) => write_text(out, text),
        Value::Count(count) => write_plain(out, count),
        Value::Truth(truth) => write_plain(out, truth),
        Value::Amount(amount) => write_plain(out, amount),
        Value::Instant(instant) => {
            out.push('"');
            write_plain(out, instant);
            out.push('"');
        }
        Value::Block(block) => write(out, block),
        Value::Tags(tags) => {
            let mut object = Object::begin(out);
            tags.iter().for_each(|(key, tag)| write_text(object.key(key), tag));
            object.end();
        }
    }
}

/// An object that is being written, field by field.
pub(super) struct Object<'o> {
    out: &'o mut String,
    is_empty: bool,
}

impl<'o> Object<'o> {
    /// Opens it.
    pub fn begin(out: &'o mut String) -> Self {
        out.push('{');
        Self { out, is_empty: true }
    }

    /// Appends a key; its value is to be written to what this returns.
    pub fn key(&mut self, key: &str) -> &mut String {
        if !std::mem::replace(&mut self.is_empty, false) {
            self.out.push(',');
        }
        write_text(self.out, key);
        self.out.push(':');
        self.out
    }

    /// Closes it.
    pub fn end(self) {
        self.out.push('}');
    }
}

/// Appends a text in quotes, escaped where needed.
pub(super) fn write_text(out: &mut String, text: &str) {
    let is_plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        // A text can always be written as JSON.
        out.push_str(&serde_json::to_string(text).unwrap_or_default());
    }
}

/// Appends what needs no quotes.
pub(super) fn write_plain(out: &mut String, value: &impl Display) {
    // Appending to a text in memory does not fail.
    let _appended = write!(out, "{value}");
}
