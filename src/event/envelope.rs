//! The envelope: an accepted event, with what the front door knows about its sender.
//!
//! Our own HTTP doors write envelopes to a log that only tokenmeter may write (the spool, or the
//! topic `llm.calls.accepted`); the pipeline reads them back. Whatever others write has none.

use super::{CallEvent, Json, Rejection, Who};
use crate::time::Timestamp;

/// What a front door accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// Whose identities these are: the credential's owner or the configured source.
    pub namespace: String,
    /// What the credential asserts about the sender.
    pub asserted: Who,
    /// Whether the sender may claim a tenant where none is asserted.
    pub claims_allowed: bool,
    /// When the door accepted it.
    pub accepted_at: Timestamp,
    /// How old an event may be, in seconds, where an administrator said so; `None`: the default.
    pub max_age_seconds: Option<i64>,
    /// The event, or why it is none.
    pub body: EnvelopeBody,
}

/// The event, or why it is none.
#[derive(Debug, Clone, PartialEq)]
pub enum EnvelopeBody {
    /// A decoded event.
    Event(Box<CallEvent>),
    /// One that could not be decoded.
    Rejected {
        /// Its place in the request's body.
        index: u32,
        /// Why.
        rejection: Rejection,
        /// The scrubbed, allow-listed part, when the event parsed at all.
        part: Option<Json>,
    },
}
