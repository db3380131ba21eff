//! The envelope: an accepted event, with what the front door knows about its sender.
//!
//! Our own HTTP doors write envelopes to a log that only tokenmeter may write (the spool, or the
//! topic `llm.calls.accepted`); the pipeline reads them back. Whatever others write has none.

use super::{CallEvent, Json, Lineage, Rejection, RejectionCode, Who};
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
    /// The dead letter that is replayed by it; `None`: the event is new.
    pub replay_of: Option<ReplayOf>,
    /// The event, or why it is none.
    pub body: EnvelopeBody,
}

/// A dead letter whose event comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayOf {
    /// Where the rejected event was read.
    pub lineage: Lineage,
    /// The source partition's id.
    pub app_id: String,
    /// When the log accepted the rejected event.
    pub received_at: Timestamp,
    /// Why it was rejected.
    pub reason: RejectionCode,
}

/// On what terms a sender's events are metered: what a dead letter keeps for its replay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SenderTerms {
    /// What the credential asserts about the sender.
    pub asserted: Who,
    /// Whether the sender may claim a tenant where none is asserted.
    pub claims_allowed: bool,
    /// How old an event may be, in seconds, where an administrator said so; `None`: the default.
    pub max_age_seconds: Option<i64>,
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
