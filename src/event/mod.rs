//! The raw call event and its decoding from bytes: a file per wire format, no I/O.

mod avro;
mod avro_bounds;
mod call_event;
mod canonical;
mod decode;
mod draft;
mod envelope;
mod envelope_json;
mod field;
mod identity;
mod json;
mod lineage;
mod litellm;
mod reader;
mod rejection;
mod shape;
mod split;
#[cfg(test)]
mod tests;
mod text;
mod value;

pub use avro::{AvroDecoder, CALL_EVENT_AVRO, SchemaId, WireFormat};
pub use call_event::{CallEvent, CallStatus, Who};
pub use decode::{decode_call_event, read_call_event};
pub use draft::{RECEIVED_BYTES_MAX, STORED_BYTES_MAX, Undecoded};
pub use envelope::{Envelope, EnvelopeBody, ReplayOf, SenderTerms};
pub use identity::{HASH_VERSION, Identity, content_hash_of};
pub use json::Json;
pub use lineage::Lineage;
pub use litellm::{decode_litellm, read_litellm};
pub use rejection::{Rejection, RejectionCode};
pub use shape::Shape;
pub use split::{SplitError, split_events, split_ndjson};
