//! Whether an event's time is one that is taken.
//!
//! The measure is the moment the log accepted the event, never the clock at processing: a replay
//! decides the same.

use crate::event::{CallEvent, Rejection, RejectionCode};
use crate::time::Timestamp;

/// How far an event may lie from the moment it was accepted, in microseconds.
#[derive(Debug, Clone, Copy)]
pub struct Acceptance {
    /// Ahead of it.
    pub ahead_micros: i64,
    /// Behind it; `None`: however far.
    pub age_micros: Option<i64>,
}

impl Acceptance {
    /// Refuses an event from the future or from too long ago.
    ///
    /// # Errors
    /// [`RejectionCode::TooFarInFuture`] or [`RejectionCode::TooOld`].
    pub fn check(&self, event: &CallEvent, accepted_at: Timestamp) -> Result<(), Rejection> {
        let ahead = event.occurred_at.micros_since(accepted_at);
        let (code, limit, side) = if ahead > self.ahead_micros {
            (RejectionCode::TooFarInFuture, self.ahead_micros, "ahead of")
        } else {
            match self.age_micros {
                Some(age) if ahead.saturating_neg() > age => (RejectionCode::TooOld, age, "behind"),
                _ => return Ok(()),
            }
        };
        let message = format!(
            "`occurred_at` {} is more than {} s {side} its acceptance at {accepted_at}",
            event.occurred_at,
            limit / 1_000_000
        );
        Err(Rejection::new(code, message).of(&event.event_id))
    }
}
