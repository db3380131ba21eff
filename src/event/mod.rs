//! The raw call event and its decoding from bytes: a file per wire format, no I/O.

mod call_event;
mod envelope;
mod json;
mod rejection;

pub use call_event::{CallEvent, CallStatus, Who};
pub use envelope::{Envelope, EnvelopeBody};
pub use json::Json;
pub use rejection::{Rejection, RejectionCode};
