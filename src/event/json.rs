//! JSON values as events carry them: numbers exact, objects with their keys sorted.
//!
//! In: bytes and the [`Shape`] of what may be kept. Out: [`Json`]. What the shape does not list is
//! skipped while reading and never held: a prompt leaves no trace. Never: a float, a duplicate key,
//! an unbounded depth, a piece of the input in an error.

use std::fmt;

use super::shape::Shape;
use super::{Rejection, RejectionCode, text};
use crate::money::Decimal;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, exact as written.
    Number(Decimal),
    /// A text.
    Text(String),
    /// A list.
    Array(Vec<Json>),
    /// An object; keys are unique and sorted.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a whole JSON document, everything in it.
    ///
    /// # Errors
    /// [`RejectionCode::InvalidJson`], [`RejectionCode::DuplicateKey`], [`RejectionCode::TooDeep`];
    /// [`RejectionCode::InvalidField`] for a number beyond 38 digits.
    pub fn parse(bytes: &[u8]) -> Result<Self, Rejection> {
        Self::read(bytes, &Shape::Everything)
    }

    /// Reads what a shape keeps of a JSON document.
    ///
    /// # Errors
    /// As [`Json::parse`]; what is skipped must be JSON, too.
    pub fn read(bytes: &[u8], shape: &Shape) -> Result<Self, Rejection> {
        super::reader::read(bytes, shape)
    }

    /// The value under `key`, when this is an object that has it; an explicit `null` is `None` too.
    pub fn field(&self, key: &str) -> Option<&Json> {
        match self {
            Self::Object(fields) => {
                let found = fields.iter().find(|(name, _)| name == key);
                found.map(|(_, value)| value).filter(|value| **value != Self::Null)
            }
            _ => None,
        }
    }

    /// The text, when this is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, when this is one.
    pub const fn as_number(&self) -> Option<Decimal> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The truth value, when this is one.
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The elements, when this is a list.
    pub fn as_array(&self) -> Option<&[Json]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The fields, when this is an object.
    pub fn as_object(&self) -> Option<&[(String, Json)]> {
        match self {
            Self::Object(fields) => Some(fields),
            _ => None,
        }
    }

    /// What kind of value this is, for messages.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a truth value",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::Array(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// An object of these fields, keys sorted.
    ///
    /// # Errors
    /// [`RejectionCode::DuplicateKey`].
    pub(super) fn object(mut fields: Vec<(String, Json)>) -> Result<Self, Rejection> {
        fields.sort_by(|(a, _), (b, _)| a.cmp(b));
        let twice = fields.iter().zip(fields.iter().skip(1)).any(|((a, _), (b, _))| a == b);
        if twice {
            let message = "an object has a key twice";
            return Err(Rejection::new(RejectionCode::DuplicateKey, message));
        }
        Ok(Self::Object(fields))
    }
}

impl fmt::Display for Json {
    /// Compact JSON text; numbers in plain notation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        text::write(&mut text, self);
        f.write_str(&text)
    }
}
