//! The raw call event as Avro, behind a schema registry.
//!
//! In: a message's bytes and headers, the writer's schema. Out: the same [`CallEvent`] as from JSON.
//! The writer's schema is resolved to ours as Avro's specification says
//! (<https://avro.apache.org/docs/1.12.0/specification/#schema-resolution>, read 2026-11-23).

use std::fmt;
use std::sync::LazyLock;

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::schema_compatibility::SchemaCompatibility;
use apache_avro::types::Value;
use apache_avro::util::max_allocation_bytes;

use super::decode::event_of;
use super::draft::{RECEIVED_BYTES_MAX, check_received};
use super::shape::{CONTEXT, Shape, USAGE};
use super::{CallEvent, Json, Rejection, RejectionCode};
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
    /// [`RejectionCode::IncompatibleSchema`] when it is none, or cannot be resolved to ours.
    pub fn new(writer: &str) -> Result<Self, Rejection> {
        let wrong = |why: String| Rejection::new(RejectionCode::IncompatibleSchema, why);
        let writer = Schema::parse_str(writer)
            .map_err(|_| wrong("the registered schema is no Avro schema".to_owned()))?;
        let reader = reader().map_err(wrong)?;
        SchemaCompatibility::can_read(&writer, reader).map_err(|error| {
            wrong(format!("the registered schema cannot be read as a call event: {error}"))
        })?;
        Ok(Self { writer })
    }

    /// Decodes one event.
    ///
    /// # Errors
    /// [`RejectionCode::InvalidAvro`], or what decoding JSON gives.
    pub fn decode(&self, body: &[u8]) -> Result<CallEvent, Rejection> {
        check_received(body)?;
        // What the library says may quote the event: it stays inside.
        let broken = || {
            let message = "the bytes do not fit the writer's schema";
            Rejection::new(RejectionCode::InvalidAvro, message)
        };
        let reader = reader().map_err(|_| broken())?;
        let datum = GenericDatumReader::builder(&self.writer)
            .reader_schema(reader)
            .build()
            .and_then(|reader| reader.read_value(&mut &body[..]));
        let Ok(Value::Record(fields)) = datum else { return Err(broken()) };
        let mut document = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            let shape = match name.as_str() {
                "usage" => Some(USAGE),
                "context" => Some(CONTEXT),
                _ => None,
            };
            if let Some(value) = json(value, shape.as_ref())? {
                document.push((name, value));
            }
        }
        event_of(document, body.len()).map_err(|undecoded| undecoded.rejection)
    }
}

fn reader() -> Result<&'static Schema, String> {
    READER.as_ref().map_err(Clone::clone)
}

/// The JSON value of a field; text with a shape is JSON itself, and is read along it. `None`: null.
fn json(value: Value, shape: Option<&Shape>) -> Result<Option<Json>, Rejection> {
    let value = match value {
        Value::Union(_, inner) => return json(*inner, shape),
        Value::Null => return Ok(None),
        Value::Boolean(value) => Json::Bool(value),
        Value::Int(number) => Json::Number(Decimal::new(i128::from(number), 0)),
        Value::Long(number) => Json::Number(Decimal::new(i128::from(number), 0)),
        Value::TimestampMicros(micros) => Json::Text(instant(micros)?),
        Value::String(text) => match shape {
            Some(shape) => Json::read(text.as_bytes(), shape)?,
            None => Json::Text(text),
        },
        Value::Map(entries) => {
            let mut fields = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                if let Some(value) = json(value, None)? {
                    fields.push((key, value));
                }
            }
            Json::object(fields)?
        }
        _ => {
            let message = "a field has a type that a call event does not have";
            return Err(Rejection::new(RejectionCode::InvalidAvro, message));
        }
    };
    Ok(Some(value))
}

fn instant(micros: i64) -> Result<String, Rejection> {
    let instant = Timestamp::from_micros(micros).map(|instant| instant.to_string());
    let message = "`occurred_at`: expected microseconds since 1970, up to the year 9999";
    instant.ok_or_else(|| Rejection::new(RejectionCode::InvalidTimestamp, message))
}
