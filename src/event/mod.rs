//! The raw call event and its decoding from bytes: a file per wire format, no I/O.

mod call_event;
mod canonical;
mod envelope;
mod identity;
mod json;
mod lineage;
mod rejection;

pub use call_event::{CallEvent, CallStatus, Who};
pub use envelope::{Envelope, EnvelopeBody};
pub use identity::{HASH_VERSION, Identity, content_hash_of};
pub use json::Json;
pub use lineage::Lineage;
pub use rejection::{Rejection, RejectionCode};
