//! Envelopes as bytes: JSON, version 1.
//!
//! What is written is decoded and scrubbed already. Reading holds on to the allow-list all the
//! same.

use super::decode::call_event_from;
use super::shape::{CALL_EVENT, Shape};
use super::{Envelope, EnvelopeBody, Json, Rejection, RejectionCode, Who};
use crate::money::Decimal;
use crate::time::Timestamp;

const VERSION: u64 = 1;

const ENVELOPE: Shape = Shape::Fields(&[
    ("v", Shape::Scalar),
    ("namespace", Shape::Scalar),
    ("asserted", Shape::Labels),
    ("claims_allowed", Shape::Scalar),
    ("accepted_at", Shape::Scalar),
    ("max_age_seconds", Shape::Scalar),
    ("event", CALL_EVENT),
    ("rejection", REJECTION),
]);

const REJECTION: Shape = Shape::Fields(&[
    ("index", Shape::Scalar),
    ("code", Shape::Scalar),
    ("message", Shape::Scalar),
    ("event_id", Shape::Scalar),
    ("part", CALL_EVENT),
]);

impl Envelope {
    /// The bytes that go to the log.
    pub fn encode(&self) -> Vec<u8> {
        let mut fields = vec![
            entry("v", Json::Number(VERSION.into())),
            entry("namespace", Json::Text(self.namespace.clone())),
            entry("asserted", self.asserted.to_json()),
            entry("claims_allowed", Json::Bool(self.claims_allowed)),
            entry("accepted_at", Json::Text(self.accepted_at.to_string())),
        ];
        if let Some(seconds) = self.max_age_seconds {
            let seconds = Decimal::new(i128::from(seconds), 0);
            fields.push(entry("max_age_seconds", Json::Number(seconds)));
        }
        fields.push(match &self.body {
            EnvelopeBody::Event(event) => entry("event", event.to_json()),
            EnvelopeBody::Rejected { index, rejection, part } => {
                entry("rejection", rejection_json(*index, rejection, part.as_ref()))
            }
        });
        Json::Object(fields).to_string().into_bytes()
    }

    /// Reads an envelope back.
    ///
    /// # Errors
    /// A [`Rejection`] when the bytes are no envelope of a version that is known.
    pub fn decode(bytes: &[u8]) -> Result<Self, Rejection> {
        let document = Json::read(bytes, &ENVELOPE)?;
        let version = document.field("v").and_then(Json::as_number).and_then(Decimal::to_count);
        if version != Some(VERSION) {
            return Err(wrong("v", "envelope version 1"));
        }
        let mut fields = Fields(match document {
            Json::Object(fields) => fields,
            _ => Vec::new(),
        });
        Ok(Self {
            namespace: fields.text("namespace")?,
            asserted: who(fields.take("asserted"))?,
            claims_allowed: fields.take("claims_allowed") == Some(Json::Bool(true)),
            accepted_at: fields.timestamp("accepted_at")?,
            max_age_seconds: fields.seconds("max_age_seconds")?,
            body: body(&mut fields)?,
        })
    }
}

fn body(fields: &mut Fields) -> Result<EnvelopeBody, Rejection> {
    if let Some(event) = fields.take("event") {
        return Ok(EnvelopeBody::Event(Box::new(call_event_from(event)?)));
    }
    let Some(Json::Object(rejection)) = fields.take("rejection") else {
        return Err(wrong("event", "an event or a rejection"));
    };
    let mut rejection = Fields(rejection);
    let code = RejectionCode::from_name(&rejection.text("code")?);
    let index = rejection.seconds("index")?.and_then(|index| u32::try_from(index).ok());
    Ok(EnvelopeBody::Rejected {
        index: index.ok_or_else(|| wrong("index", "a whole number"))?,
        rejection: Rejection {
            code: code.ok_or_else(|| wrong("code", "a rejection code"))?,
            message: rejection.text("message")?,
            event_id: rejection.text("event_id").ok(),
        },
        part: rejection.take("part"),
    })
}

fn rejection_json(index: u32, rejection: &Rejection, part: Option<&Json>) -> Json {
    let mut fields = vec![
        entry("index", Json::Number(u64::from(index).into())),
        entry("code", Json::Text(rejection.code.name().to_owned())),
        entry("message", Json::Text(rejection.message.clone())),
    ];
    if let Some(event_id) = &rejection.event_id {
        fields.push(entry("event_id", Json::Text(event_id.clone())));
    }
    if let Some(part) = part {
        fields.push(entry("part", part.clone()));
    }
    Json::Object(fields)
}

fn who(asserted: Option<Json>) -> Result<Who, Rejection> {
    let mut who = Who::default();
    let asserted = asserted.unwrap_or(Json::Null);
    for (key, value) in asserted.as_object().unwrap_or_default() {
        let slot = who.field_mut(key).ok_or_else(|| wrong("asserted", "columns of `calls`"))?;
        *slot = value.as_text().map(str::to_owned);
    }
    Ok(who)
}

fn entry(key: &str, value: Json) -> (String, Json) {
    (key.to_owned(), value)
}

fn wrong(key: &str, expected: &str) -> Rejection {
    let message = format!("envelope `{key}`: expected {expected}");
    Rejection::new(RejectionCode::InvalidField, message)
}

/// The fields of an object, taken one by one.
struct Fields(Vec<(String, Json)>);

impl Fields {
    fn take(&mut self, key: &str) -> Option<Json> {
        let place = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.swap_remove(place).1).filter(|value| *value != Json::Null)
    }

    fn text(&mut self, key: &str) -> Result<String, Rejection> {
        match self.take(key) {
            Some(Json::Text(text)) => Ok(text),
            _ => Err(wrong(key, "a text")),
        }
    }

    fn timestamp(&mut self, key: &str) -> Result<Timestamp, Rejection> {
        self.text(key)?.parse().map_err(|_| wrong(key, "an RFC 3339 text"))
    }

    fn seconds(&mut self, key: &str) -> Result<Option<i64>, Rejection> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let seconds = value.as_number().and_then(|number| number.rescaled(0));
        let seconds = seconds.and_then(|seconds| i64::try_from(seconds).ok());
        seconds.map(Some).ok_or_else(|| wrong(key, "a whole number"))
    }
}
