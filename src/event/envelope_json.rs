//! Envelopes as bytes: JSON, version 1.
//!
//! What is written is decoded and scrubbed already. Reading keeps to the allow-list all the same.

use super::decode::read_event;
use super::reader::Reader;
use super::shape::Shape;
use super::text::{self, Object, write_plain, write_text, write_value};
use super::value::Value;
use super::{
    Envelope, EnvelopeBody, Json, Lineage, Rejection, RejectionCode, ReplayOf, SenderTerms, Who,
};
use crate::money::Decimal;
use crate::time::Timestamp;

const VERSION: u64 = 1;
/// An event is inside an envelope, its part inside a rejection inside an envelope.
const WRAPPING_LEVELS: usize = 2;
/// Room for a usual envelope.
const USUAL_BYTES: usize = 1_280;

impl Envelope {
    /// The bytes that go to the log.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = String::with_capacity(USUAL_BYTES);
        let mut object = Object::begin(&mut out);
        write_plain(object.key("v"), &VERSION);
        write_text(object.key("namespace"), &self.namespace);
        self.asserted.write(object.key("asserted"));
        write_plain(object.key("claims_allowed"), &self.claims_allowed);
        write_value(object.key("accepted_at"), &Value::Instant(self.accepted_at));
        if let Some(seconds) = self.max_age_seconds {
            write_plain(object.key("max_age_seconds"), &seconds);
        }
        if let Some(letter) = &self.replay_of {
            write_replay_of(object.key("replay_of"), letter);
        }
        match &self.body {
            EnvelopeBody::Event(event) => event.write_canonical(object.key("event")),
            EnvelopeBody::Rejected { index, rejection, part } => {
                write_rejection(object.key("rejection"), *index, rejection, part.as_ref());
            }
        }
        object.end();
        out.into_bytes()
    }

    /// Reads an envelope back.
    ///
    /// # Errors
    /// A [`Rejection`] when the bytes are no envelope of a version that is known.
    pub fn decode(bytes: &[u8]) -> Result<Self, Rejection> {
        let mut reader = Reader::new(bytes)?.wrapped(WRAPPING_LEVELS);
        let (mut fields, mut bodies, mut replay_of) = (Fields::default(), Vec::new(), None);
        let envelope = reader.peek_object("an envelope is an object")?;
        reader.each_field(envelope, known, |reader, field, peek| {
            match field {
                Known::Event => {
                    let event = read_event(reader)?.finish(bytes.len());
                    let event = event.map_err(|undecoded| undecoded.rejection)?;
                    bodies.push(EnvelopeBody::Event(Box::new(event)));
                }
                Known::Rejection => bodies.push(read_rejection(reader)?),
                Known::ReplayOf => replay_of = Some(read_replay_of(reader)?),
                Known::Beside(name, shape) => fields.put(name, reader.listed(peek, &shape)?),
            }
            Ok(())
        })?;
        reader.finish()?;
        if fields.whole("v")? != Some(VERSION) {
            return Err(wrong("v", "envelope version 1"));
        }
        let (Some(body), None) = (bodies.pop(), bodies.pop()) else {
            return Err(wrong("event", "an event or a rejection"));
        };
        Ok(Self {
            namespace: fields.text("namespace")?,
            asserted: who(fields.take("asserted"))?,
            claims_allowed: fields.take("claims_allowed") == Some(Json::Bool(true)),
            accepted_at: fields.timestamp("accepted_at")?,
            max_age_seconds: fields.whole("max_age_seconds")?,
            replay_of,
            body,
        })
    }
}

/// What an envelope may have.
enum Known {
    Event,
    Rejection,
    ReplayOf,
    Beside(&'static str, Shape),
}

fn known(key: &str) -> Option<Known> {
    Some(match key {
        "event" => Known::Event,
        "rejection" => Known::Rejection,
        "replay_of" => Known::ReplayOf,
        "v" => Known::Beside("v", Shape::Scalar),
        "namespace" => Known::Beside("namespace", Shape::Scalar),
        "asserted" => Known::Beside("asserted", Shape::Labels),
        "claims_allowed" => Known::Beside("claims_allowed", Shape::Scalar),
        "accepted_at" => Known::Beside("accepted_at", Shape::Scalar),
        "max_age_seconds" => Known::Beside("max_age_seconds", Shape::Scalar),
        _ => return None,
    })
}

impl SenderTerms {
    /// As JSON.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        let mut object = Object::begin(&mut out);
        self.asserted.write(object.key("asserted"));
        write_plain(object.key("claims_allowed"), &self.claims_allowed);
        if let Some(seconds) = self.max_age_seconds {
            write_plain(object.key("max_age_seconds"), &seconds);
        }
        object.end();
        out
    }

    /// Reads them back.
    ///
    /// # Errors
    /// A [`Rejection`] when this is not what [`SenderTerms::to_json`] writes.
    pub fn from_json(text: &str) -> Result<Self, Rejection> {
        let json = Json::parse(text.as_bytes())?;
        let mut fields = Fields::default();
        for name in ["asserted", "claims_allowed", "max_age_seconds"] {
            json.field(name).into_iter().for_each(|value| fields.put(name, value.clone()));
        }
        Ok(Self {
            asserted: who(fields.take("asserted"))?,
            claims_allowed: fields.take("claims_allowed") == Some(Json::Bool(true)),
            max_age_seconds: fields.whole("max_age_seconds")?,
        })
    }
}

fn write_replay_of(out: &mut String, letter: &ReplayOf) {
    let mut object = Object::begin(out);
    write_text(object.key("topic"), &letter.lineage.topic);
    write_plain(object.key("partition"), &letter.lineage.partition);
    write_plain(object.key("offset"), &letter.lineage.offset);
    write_plain(object.key("index"), &letter.lineage.index);
    write_text(object.key("app_id"), &letter.app_id);
    write_value(object.key("received_at"), &Value::Instant(letter.received_at));
    write_text(object.key("reason"), letter.reason.name());
    object.end();
}

fn read_replay_of(reader: &mut Reader<'_>) -> Result<ReplayOf, Rejection> {
    const KEYS: [&str; 7] =
        ["topic", "partition", "offset", "index", "app_id", "received_at", "reason"];
    let mut fields = Fields::default();
    let object = reader.peek_object("a dead letter's place is an object")?;
    let known = |key: &str| KEYS.into_iter().find(|name| *name == key);
    reader.each_field(object, known, |reader, name, peek| {
        fields.put(name, reader.listed(peek, &Shape::Scalar)?);
        Ok(())
    })?;
    let reason = RejectionCode::from_name(&fields.text("reason")?);
    Ok(ReplayOf {
        lineage: Lineage {
            topic: fields.text("topic")?,
            partition: fields.required("partition")?,
            offset: fields.required("offset")?,
            index: fields.required("index")?,
        },
        app_id: fields.text("app_id")?,
        received_at: fields.timestamp("received_at")?,
        reason: reason.ok_or_else(|| wrong("reason", "a rejection code"))?,
    })
}

fn write_rejection(out: &mut String, index: u32, rejection: &Rejection, part: Option<&Json>) {
    let mut object = Object::begin(out);
    write_plain(object.key("index"), &index);
    write_text(object.key("code"), rejection.code.name());
    write_text(object.key("message"), &rejection.message);
    if let Some(event_id) = &rejection.event_id {
        write_text(object.key("event_id"), event_id);
    }
    if let Some(part) = part {
        text::write(object.key("part"), part);
    }
    object.end();
}

fn read_rejection(reader: &mut Reader<'_>) -> Result<EnvelopeBody, Rejection> {
    const BESIDE: [&str; 4] = ["index", "code", "message", "event_id"];
    let (mut fields, mut part) = (Fields::default(), None);
    let object = reader.peek_object("a rejection is an object")?;
    let known = |key: &str| match key {
        "part" => Some(None),
        _ => BESIDE.into_iter().find(|name| *name == key).map(Some),
    };
    reader.each_field(object, known, |reader, name, peek| {
        match name {
            Some(name) => fields.put(name, reader.listed(peek, &Shape::Scalar)?),
            None => part = Some(read_event(reader)?.part()),
        }
        Ok(())
    })?;
    let code = RejectionCode::from_name(&fields.text("code")?);
    let index = fields.required("index")?;
    let rejection = Rejection {
        code: code.ok_or_else(|| wrong("code", "a rejection code"))?,
        message: fields.text("message")?,
        event_id: fields.text("event_id").ok(),
    };
    Ok(EnvelopeBody::Rejected { index, rejection, part })
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

fn wrong(key: &str, expected: &str) -> Rejection {
    let message = format!("envelope `{key}`: expected {expected}");
    Rejection::new(RejectionCode::InvalidField, message)
}

/// The fields beside a body, taken one by one.
#[derive(Default)]
struct Fields(Vec<(&'static str, Json)>);

impl Fields {
    fn put(&mut self, key: &'static str, value: Json) {
        self.0.push((key, value));
    }

    fn take(&mut self, key: &str) -> Option<Json> {
        let place = self.0.iter().position(|(name, _)| *name == key)?;
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

    fn required<T: TryFrom<i128>>(&mut self, key: &str) -> Result<T, Rejection> {
        self.whole(key)?.ok_or_else(|| wrong(key, "a whole number"))
    }

    fn whole<T: TryFrom<i128>>(&mut self, key: &str) -> Result<Option<T>, Rejection> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let whole = value.as_number().and_then(|number: Decimal| number.rescaled(0));
        let whole = whole.and_then(|whole| T::try_from(whole).ok());
        whole.map(Some).ok_or_else(|| wrong(key, "a whole number"))
    }
}
