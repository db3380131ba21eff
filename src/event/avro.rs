//! The raw call event as Avro, behind a schema registry.
//!
//! In: a message's bytes and headers, the writer's schema. Out: the same [`CallEvent`] as of JSON.
//! The writer's schema is resolved to ours as Avro's specification says
//! (<https://avro.apache.org/docs/1.12.0/specification/#schema-resolution>, read 2026-11-23).

use std::fmt;
use std::io::{self, Read};
use std::sync::LazyLock;

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::schema_compatibility::SchemaCompatibility;
use apache_avro::types::Value;
use apache_avro::util::max_allocation_bytes;

use super::draft::{Draft, RECEIVED_BYTES_MAX, Undecoded, check_received};
use super::field::{FIELDS, place};
use super::shape::Shape;
use super::{CallEvent, Json, Rejection, RejectionCode, avro_bounds};
use crate::money::Decimal;
use crate::time::Timestamp;

/// Our own schema: what every writer's is resolved to.
pub const CALL_EVENT_AVRO: &str = include_str!("../../schemas/call_event.v1.avsc");

/// The header in which newer Confluent clients put the schema's id.
const HEADER: &str = "__value_schema_id";
const MAGIC_ID: u8 = 0;
const MAGIC_GUID: u8 = 1;

static READER: LazyLock<Result<Schema, String>> = LazyLock::new(|| {
    max_allocation_bytes(RECEIVED_BYTES_MAX);
    Schema::parse_str(CALL_EVENT_AVRO).map_err(|error| error.to_string())
});

/// How the registry names a schema.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SchemaId {
    /// By number.
    Number(u32),
    /// By a globally unique id.
    Guid(uuid::Uuid),
}

impl SchemaId {
    /// Where the registry answers for it, below its base URL.
    pub fn path(&self) -> String {
        match self {
            Self::Number(number) => format!("schemas/ids/{number}"),
            Self::Guid(guid) => format!("schemas/guids/{guid}"),
        }
    }
}

impl fmt::Display for SchemaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Guid(guid) => write!(f, "{guid}"),
        }
    }
}

/// What a message of a Kafka topic is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireFormat<'a> {
    /// JSON text.
    Json,
    /// Avro of a registered schema.
    Avro {
        /// The writer's schema.
        schema: SchemaId,
        /// The bytes after the id.
        body: &'a [u8],
    },
}

impl<'a> WireFormat<'a> {
    /// Looks at the header, then at the first byte.
    ///
    /// # Errors
    /// [`RejectionCode::InvalidAvro`] when the id is cut off.
    pub fn of<'h>(
        headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
        payload: &'a [u8],
    ) -> Result<Self, Rejection> {
        let mut headers = headers.into_iter();
        if let Some((_, id)) = headers.find(|(name, _)| *name == HEADER) {
            let (schema, _) = schema_id(id)?;
            return Ok(Self::Avro { schema, body: payload });
        }
        match payload.first() {
            Some(&(MAGIC_ID | MAGIC_GUID)) => {
                let (schema, body) = schema_id(payload)?;
                Ok(Self::Avro { schema, body })
            }
            _ => Ok(Self::Json),
        }
    }
}

fn schema_id(bytes: &[u8]) -> Result<(SchemaId, &[u8]), Rejection> {
    let split = match bytes.split_first() {
        Some((&MAGIC_ID, rest)) => rest
            .split_first_chunk::<4>()
            .map(|(id, body)| (SchemaId::Number(u32::from_be_bytes(*id)), body)),
        Some((&MAGIC_GUID, rest)) => rest
            .split_first_chunk::<16>()
            .map(|(id, body)| (SchemaId::Guid(uuid::Uuid::from_bytes(*id)), body)),
        _ => None,
    };
    let expected = "expected byte 0 and a 4-byte schema id, or byte 1 and a 16-byte one";
    split.ok_or_else(|| Rejection::new(RejectionCode::InvalidAvro, expected))
}

/// Reads events of one writer's schema.
#[derive(Debug)]
pub struct AvroDecoder {
    writer: Schema,
}

impl AvroDecoder {
    /// A decoder of what this schema writes.
    ///
    /// # Errors
    /// [`RejectionCode::IncompatibleSchema`] when it is none, when a few bytes of it could fill the
    /// memory, or when it cannot be resolved to ours.
    pub fn new(writer: &str) -> Result<Self, Rejection> {
        let wrong = |why: String| Rejection::new(RejectionCode::IncompatibleSchema, why);
        let writer = Schema::parse_str(writer)
            .map_err(|_| wrong("the registered schema is no Avro schema".to_owned()))?;
        avro_bounds::check(&writer).map_err(|why| wrong(format!("the registered schema {why}")))?;
        let reader = reader().map_err(wrong)?;
        SchemaCompatibility::can_read(&writer, reader).map_err(|error| {
            wrong(format!("the registered schema cannot be read as a call event: {error}"))
        })?;
        Ok(Self { writer })
    }

    /// Decodes one event.
    ///
    /// Fields are matched by name; ours have no aliases, and no default but null. What is not ours
    /// is skipped.
    ///
    /// # Errors
    /// [`RejectionCode::InvalidAvro`] when the bytes break off, go on after the event or are none;
    /// else what decoding JSON gives.
    pub fn decode(&self, body: &[u8]) -> Result<CallEvent, Box<Undecoded>> {
        check_received(body)?;
        let mut draft = Draft::new();
        for (name, value) in self.read(body)? {
            let Some(field) = place(&name).and_then(|place| FIELDS.get(place)) else { continue };
            match json(value, &field.shape) {
                Ok(value) => draft.put(field.name, value),
                Err(rejection) => draft.refuse(rejection),
            }
        }
        draft.finish(body.len())
    }

    fn read(&self, body: &[u8]) -> Result<Vec<(String, Value)>, Rejection> {
        let mut bytes = Bytes(body);
        let datum = GenericDatumReader::builder(&self.writer)
            .build()
            .and_then(|reader| reader.read_value(&mut bytes));
        match datum {
            Ok(Value::Record(fields)) if bytes.0.is_empty() => Ok(fields),
            // What the library says may quote the event: it stays inside.
            _ => {
                let message = "the bytes do not fit the writer's schema";
                Err(Rejection::new(RejectionCode::InvalidAvro, message))
            }
        }
    }
}

/// Bytes whose end is an error: the library would read nulls there, and an event that was cut short
/// would lose its usage without a word.
struct Bytes<'b>(&'b [u8]);

impl Read for Bytes<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() && !into.is_empty() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.0.read(into)
    }
}

fn reader() -> Result<&'static Schema, String> {
    READER.as_ref().map_err(Clone::clone)
}

/// The JSON value of a field. Usage and context are texts that hold JSON, and are read along their
/// shape. `None`: null.
fn json(value: Value, shape: &Shape) -> Result<Option<Json>, Rejection> {
    let value = match value {
        Value::Union(_, inner) => return json(*inner, shape),
        Value::Null => return Ok(None),
        Value::Boolean(value) => Json::Bool(value),
        Value::Int(number) => Json::Number(Decimal::new(i128::from(number), 0)),
        Value::Long(number) => Json::Number(Decimal::new(i128::from(number), 0)),
        Value::String(text) => match shape {
            Shape::Counters(_) => Json::read(text.as_bytes(), shape)?,
            _ => Json::Text(text),
        },
        Value::Map(entries) => {
            let mut fields = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                if let Some(value) = json(value, shape)? {
                    fields.push((key, value));
                }
            }
            Json::object(fields)?
        }
        instant => return Ok(Some(Json::Text(rfc_3339(&instant)?))),
    };
    Ok(Some(value))
}

/// An instant of whichever unit the writer's schema names.
fn rfc_3339(value: &Value) -> Result<String, Rejection> {
    let instant = match value {
        Value::TimestampMillis(millis) => Timestamp::from_millis(*millis),
        Value::TimestampMicros(micros) => Timestamp::from_micros(*micros),
        Value::TimestampNanos(nanos) => Timestamp::from_micros(nanos.div_euclid(1_000)),
        _ => {
            let message = "a field has a type that a call event does not have";
            return Err(Rejection::new(RejectionCode::InvalidAvro, message));
        }
    };
    let message = "`occurred_at`: expected an instant between the years 1 and 9999";
    let wrong = || Rejection::new(RejectionCode::InvalidTimestamp, message);
    instant.map(|instant| instant.to_string()).ok_or_else(wrong)
}
