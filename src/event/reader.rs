//! Reads JSON along a shape: what the shape does not keep is skipped, checked but never held.

use std::collections::BTreeSet;

use jiter::{Jiter, JiterErrorType, JsonErrorType, Peek};

use super::shape::{COUNTED_LISTS, LABEL_BYTES_MAX, Shape, is_token_count};
use super::{Json, Rejection, RejectionCode};
use crate::money::Decimal;

/// Lists and objects may be nested so deep.
const DEPTH_MAX: usize = 64;

/// Reads one document; a part that is dropped reads as null.
pub(super) fn read(bytes: &[u8], shape: &Shape) -> Result<Json, Rejection> {
    if let Err(error) = std::str::from_utf8(bytes) {
        let message = format!("not UTF-8 at byte {}", error.valid_up_to());
        return Err(Rejection::new(RejectionCode::InvalidJson, message));
    }
    let mut reader = Reader { jiter: Jiter::new(bytes), depth: 0 };
    let peek = reader.jiter.peek().map_err(|error| broken(&error))?;
    let value = reader.value(peek, *shape, Texts::Dropped)?;
    reader.jiter.finish().map_err(|error| broken(&error))?;
    Ok(value.unwrap_or(Json::Null))
}

/// Whether a text among counters is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Texts {
    Kept,
    /// Kept as the number that it is.
    Numbers,
    Dropped,
}

impl Texts {
    /// What is kept of the texts under a key of this shape.
    fn under(key: &str, shape: &Shape) -> Self {
        match shape {
            Shape::Counters(listed) if listed.contains(&key) => Self::Kept,
            Shape::Counters(_) if is_token_count(key) => Self::Numbers,
            _ => Self::Dropped,
        }
    }
}

struct Reader<'j> {
    jiter: Jiter<'j>,
    depth: usize,
}

impl Reader<'_> {
    /// `None`: dropped.
    fn value(&mut self, peek: Peek, shape: Shape, texts: Texts) -> Result<Option<Json>, Rejection> {
        match peek {
            Peek::Null => {
                self.jiter.known_null().map_err(|error| broken(&error))?;
                Ok(Some(Json::Null))
            }
            Peek::True | Peek::False => {
                let value = self.jiter.known_bool(peek).map_err(|error| broken(&error))?;
                Ok(Some(Json::Bool(value)))
            }
            Peek::String => self.text(shape, texts),
            Peek::Array => match shape {
                Shape::Everything | Shape::Counters(_) => self.array(shape, texts).map(Some),
                Shape::List(inner) => self.array(*inner, Texts::Dropped).map(Some),
                Shape::Scalar | Shape::Labels | Shape::Fields(_) => self.skip(peek),
            },
            Peek::Object => match shape {
                Shape::Scalar | Shape::List(_) => self.skip(peek),
                _ => self.object(shape).map(Some),
            },
            _ => self.number(peek).map(Some),
        }
    }

    fn skip(&mut self, peek: Peek) -> Result<Option<Json>, Rejection> {
        self.jiter.known_skip(peek).map_err(|error| broken(&error))?;
        Ok(None)
    }

    fn text(&mut self, shape: Shape, texts: Texts) -> Result<Option<Json>, Rejection> {
        let text = self.jiter.known_str().map_err(|error| broken(&error))?;
        let kept = match shape {
            Shape::Counters(_) if texts == Texts::Numbers => {
                return Ok(text.trim().parse().ok().map(Json::Number));
            }
            Shape::Everything | Shape::Scalar => true,
            Shape::Counters(_) => texts == Texts::Kept && text.len() <= LABEL_BYTES_MAX,
            Shape::Labels | Shape::Fields(_) | Shape::List(_) => false,
        };
        Ok(kept.then(|| Json::Text(text.to_owned())))
    }

    fn number(&mut self, peek: Peek) -> Result<Json, Rejection> {
        let bytes = self.jiter.known_number_bytes(peek).map_err(|error| broken(&error))?;
        let number: Option<Decimal> =
            std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok());
        let at = self.jiter.current_index();
        let message = || format!("the number before byte {at} has more than 38 digits");
        let number =
            number.ok_or_else(|| Rejection::new(RejectionCode::InvalidField, message()))?;
        Ok(Json::Number(number))
    }

    fn array(&mut self, shape: Shape, texts: Texts) -> Result<Json, Rejection> {
        self.deeper()?;
        let mut items = Vec::new();
        let mut next = self.jiter.known_array().map_err(|error| broken(&error))?;
        while let Some(peek) = next {
            items.extend(self.value(peek, shape, texts)?);
            next = self.jiter.array_step().map_err(|error| broken(&error))?;
        }
        self.depth -= 1;
        Ok(Json::Array(items))
    }

    /// How many different texts a list has, empty ones aside.
    fn different_texts(&mut self) -> Result<Json, Rejection> {
        let mut texts = BTreeSet::new();
        let mut next = self.jiter.known_array().map_err(|error| broken(&error))?;
        while let Some(peek) = next {
            if peek == Peek::String {
                texts.insert(self.jiter.known_str().map_err(|error| broken(&error))?.to_owned());
            } else {
                self.skip(peek)?;
            }
            next = self.jiter.array_step().map_err(|error| broken(&error))?;
        }
        texts.remove("");
        Ok(Json::Number(u64::try_from(texts.len()).unwrap_or(u64::MAX).into()))
    }

    fn object(&mut self, shape: Shape) -> Result<Json, Rejection> {
        self.deeper()?;
        let mut fields = Vec::new();
        let mut key = self.jiter.known_object().map_err(|error| broken(&error))?.map(str::to_owned);
        while let Some(name) = key {
            let peek = self.jiter.peek().map_err(|error| broken(&error))?;
            match shape.of_field(&name) {
                None => {
                    self.skip(peek)?;
                }
                Some(inner) => {
                    let value = match (shape, peek) {
                        (Shape::Counters(_), Peek::Array)
                            if COUNTED_LISTS.contains(&name.as_str()) =>
                        {
                            self.different_texts().map(Some)?
                        }
                        _ => self.value(peek, inner, Texts::under(&name, &shape))?,
                    };
                    let value = match shape {
                        // A listed field of the wrong kind is not absent: whoever decodes says so.
                        Shape::Fields(_) | Shape::Labels => value.or_else(|| Some(emptied(peek))),
                        _ => value,
                    };
                    fields.extend(value.map(|value| (name, value)));
                }
            }
            key = self.jiter.next_key().map_err(|error| broken(&error))?.map(str::to_owned);
        }
        self.depth -= 1;
        Json::object(fields)
    }

    fn deeper(&mut self) -> Result<(), Rejection> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(too_deep());
        }
        Ok(())
    }
}

/// What is left of a dropped value: its kind.
fn emptied(peek: Peek) -> Json {
    match peek {
        Peek::Array => Json::Array(Vec::new()),
        Peek::Object => Json::Object(Vec::new()),
        _ => Json::Text(String::new()),
    }
}

fn too_deep() -> Rejection {
    let message = format!("nested deeper than {DEPTH_MAX} levels");
    Rejection::new(RejectionCode::TooDeep, message)
}

/// What is wrong, and at which byte; nothing of the input is repeated.
fn broken(error: &jiter::JiterError) -> Rejection {
    let what = match &error.error_type {
        JiterErrorType::JsonError(JsonErrorType::RecursionLimitExceeded) => return too_deep(),
        JiterErrorType::JsonError(error) => error.to_string(),
        JiterErrorType::WrongType { .. } => "unexpected kind of value".to_owned(),
    };
    let message = format!("not JSON at byte {}: {}", error.index, what.to_lowercase());
    Rejection::new(RejectionCode::InvalidJson, message)
}
