//! Reads JSON along a shape: what the shape does not keep is skipped, checked but never held.

use std::collections::BTreeSet;

use jiter::{Jiter, JiterError, JiterErrorType, JsonErrorType, Peek};

use super::shape::{LABEL_BYTES_MAX, Shape, is_counted_list, is_token_count};
use super::{Json, Rejection, RejectionCode};
use crate::money::Decimal;

/// Lists and objects may be nested so deep.
const DEPTH_MAX: usize = 64;
/// A number may have so many digits behind the point: more are absurd in counts and in costs.
const FRACTION_DIGITS_MAX: u32 = 64;

/// Reads one document; a part that is dropped reads as null.
pub(super) fn read(bytes: &[u8], shape: &Shape) -> Result<Json, Rejection> {
    let mut reader = Reader::new(bytes)?;
    let peek = reader.peek()?;
    let value = reader.value(peek, shape, "")?;
    reader.finish()?;
    Ok(value.unwrap_or(Json::Null))
}

/// The number that a text is, if it is one that is kept.
pub(super) fn number(text: &str) -> Option<Decimal> {
    let number: Decimal = text.parse().ok()?;
    (number.scale() <= FRACTION_DIGITS_MAX).then_some(number)
}

/// A place in a document.
pub(super) struct Reader<'j> {
    jiter: Jiter<'j>,
    depth: usize,
    depth_max: usize,
}

impl<'j> Reader<'j> {
    /// The start of a document.
    pub fn new(bytes: &'j [u8]) -> Result<Self, Rejection> {
        if let Err(error) = std::str::from_utf8(bytes) {
            let message = format!("not UTF-8 at byte {}", error.valid_up_to());
            return Err(Rejection::new(RejectionCode::InvalidJson, message));
        }
        Ok(Self { jiter: Jiter::new(bytes), depth: 0, depth_max: DEPTH_MAX })
    }

    /// The same for a document that is wrapped in others of ours: so many levels more.
    pub fn wrapped(mut self, levels: usize) -> Self {
        self.depth_max = DEPTH_MAX + levels;
        self
    }

    /// Nothing may follow.
    pub fn finish(&mut self) -> Result<(), Rejection> {
        self.jiter.finish().map_err(broken)
    }

    fn peek(&mut self) -> Result<Peek, Rejection> {
        self.jiter.peek().map_err(broken)
    }

    /// The object that stands next; else `what` says what was expected.
    pub fn peek_object(&mut self, what: &str) -> Result<Peek, Rejection> {
        match self.peek()? {
            Peek::Object => Ok(Peek::Object),
            other => {
                let message = format!("{what}, not {}", emptied(other).kind());
                Err(Rejection::new(RejectionCode::InvalidJson, message))
            }
        }
    }

    /// Hands over the fields of an object that are known, each with what it is known as; the taker
    /// reads the value. Other fields are skipped.
    pub fn each_field<K>(
        &mut self,
        _object: Peek,
        known: impl Fn(&str) -> Option<K>,
        mut take: impl FnMut(&mut Self, K, Peek) -> Result<(), Rejection>,
    ) -> Result<(), Rejection> {
        self.deeper()?;
        let mut next = self.jiter.known_object().map_err(broken)?.map(&known);
        while let Some(field) = next {
            let peek = self.peek()?;
            match field {
                Some(field) => take(self, field, peek)?,
                None => self.skip(peek)?,
            }
            next = self.jiter.next_key().map_err(broken)?.map(&known);
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads the value of a listed field. One of the wrong kind is not absent: what is left of it
    /// tells whoever decodes.
    pub fn listed(&mut self, peek: Peek, shape: &Shape) -> Result<Json, Rejection> {
        let value = self.value(peek, shape, "")?;
        Ok(value.unwrap_or_else(|| emptied(peek)))
    }

    /// Reads a value that stands under a key. `None`: dropped.
    fn value(&mut self, peek: Peek, shape: &Shape, key: &str) -> Result<Option<Json>, Rejection> {
        match peek {
            Peek::Null => {
                self.jiter.known_null().map_err(broken)?;
                Ok(Some(Json::Null))
            }
            Peek::True | Peek::False => {
                let value = self.jiter.known_bool(peek).map_err(broken)?;
                Ok(Some(Json::Bool(value)))
            }
            Peek::String => self.text(shape, key),
            Peek::Array => match shape {
                Shape::Counters(_) if is_counted_list(key) => self.different_texts().map(Some),
                Shape::Everything | Shape::Counters(_) => self.array(shape, key).map(Some),
                Shape::List(inner) => self.array(inner, key).map(Some),
                Shape::Scalar | Shape::Labels | Shape::Fields(_) => self.dropped(peek),
            },
            Peek::Object => match shape {
                Shape::Scalar | Shape::List(_) => self.dropped(peek),
                _ => self.object(peek, shape).map(Some),
            },
            _ => self.number(peek).map(Some),
        }
    }

    fn skip(&mut self, peek: Peek) -> Result<(), Rejection> {
        self.jiter.known_skip(peek).map_err(broken)
    }

    fn dropped(&mut self, peek: Peek) -> Result<Option<Json>, Rejection> {
        self.skip(peek).map(|()| None)
    }

    fn text(&mut self, shape: &Shape, key: &str) -> Result<Option<Json>, Rejection> {
        let text = self.jiter.known_str().map_err(broken)?;
        let kept = match shape {
            Shape::Everything | Shape::Scalar => true,
            Shape::Counters(listed) if listed.contains(&key) => text.len() <= LABEL_BYTES_MAX,
            Shape::Counters(_) if is_token_count(key) => {
                return Ok(number(text.trim()).map(Json::Number));
            }
            Shape::Counters(_) | Shape::Labels | Shape::Fields(_) | Shape::List(_) => false,
        };
        Ok(kept.then(|| Json::Text(text.to_owned())))
    }

    fn number(&mut self, peek: Peek) -> Result<Json, Rejection> {
        let bytes = self.jiter.known_number_bytes(peek).map_err(broken)?;
        let number = match small_count(bytes) {
            Some(count) => Some(count.into()),
            None => std::str::from_utf8(bytes).ok().and_then(number),
        };
        number.map(Json::Number).ok_or_else(|| {
            let at = self.jiter.current_index();
            let message = format!("the number before byte {at} has too many digits");
            Rejection::new(RejectionCode::InvalidField, message)
        })
    }

    fn array(&mut self, shape: &Shape, key: &str) -> Result<Json, Rejection> {
        self.deeper()?;
        let mut items = Vec::new();
        let mut next = self.jiter.known_array().map_err(broken)?;
        while let Some(peek) = next {
            items.extend(self.value(peek, shape, key)?);
            next = self.jiter.array_step().map_err(broken)?;
        }
        self.depth -= 1;
        Ok(Json::Array(items))
    }

    /// How many different texts a list has, empty ones aside.
    fn different_texts(&mut self) -> Result<Json, Rejection> {
        let mut texts = BTreeSet::new();
        let mut next = self.jiter.known_array().map_err(broken)?;
        while let Some(peek) = next {
            if peek == Peek::String {
                texts.insert(self.jiter.known_str().map_err(broken)?.to_owned());
            } else {
                self.skip(peek)?;
            }
            next = self.jiter.array_step().map_err(broken)?;
        }
        texts.remove("");
        Ok(Json::Number(u64::try_from(texts.len()).unwrap_or(u64::MAX).into()))
    }

    fn object(&mut self, peek: Peek, shape: &Shape) -> Result<Json, Rejection> {
        let mut fields = Vec::new();
        let known = |key: &str| {
            let inner = shape.of_field(key)?;
            Some((key.to_owned(), inner))
        };
        self.each_field(peek, known, |reader, (key, inner), peek| {
            let value = match shape {
                Shape::Fields(_) | Shape::Labels => Some(reader.listed(peek, &inner)?),
                _ => reader.value(peek, &inner, &key)?,
            };
            fields.extend(value.map(|value| (key, value)));
            Ok(())
        })?;
        Json::object(fields)
    }

    fn deeper(&mut self) -> Result<(), Rejection> {
        self.depth += 1;
        if self.depth > self.depth_max { Err(too_deep()) } else { Ok(()) }
    }
}

/// A whole number of few digits, the usual case.
fn small_count(bytes: &[u8]) -> Option<u64> {
    if bytes.len() > 18 {
        return None;
    }
    bytes.iter().try_fold(0_u64, |count, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| count * 10 + u64::from(digit))
    })
}

/// What is left of a dropped value: its kind.
fn emptied(peek: Peek) -> Json {
    match peek {
        Peek::Null => Json::Null,
        Peek::True | Peek::False => Json::Bool(false),
        Peek::Array => Json::Array(Vec::new()),
        Peek::Object => Json::Object(Vec::new()),
        Peek::String => Json::Text(String::new()),
        _ => Json::Number(Decimal::ZERO),
    }
}

fn too_deep() -> Rejection {
    let message = format!("nested deeper than {DEPTH_MAX} levels");
    Rejection::new(RejectionCode::TooDeep, message)
}

/// What is wrong, and at which byte; nothing of the input is repeated.
fn broken(error: JiterError) -> Rejection {
    let what = match &error.error_type {
        JiterErrorType::JsonError(JsonErrorType::RecursionLimitExceeded) => return too_deep(),
        JiterErrorType::JsonError(error) => error.to_string(),
        JiterErrorType::WrongType { .. } => "unexpected kind of value".to_owned(),
    };
    let message = format!("not JSON at byte {}: {}", error.index, what.to_lowercase());
    Rejection::new(RejectionCode::InvalidJson, message)
}
