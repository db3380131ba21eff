//! What a sender is told: how many events are durable, and which could not be read.

use serde::Serialize;
use utoipa::ToSchema;

use crate::event::Rejection;

/// The answer to a request whose events are durable.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct Receipt {
    /// How many events were accepted. What metering finds later is in `dead_letters`.
    pub accepted: usize,
    /// How many could not be decoded; they are in `dead_letters`, too.
    pub rejected: usize,
    /// Which, and why.
    pub rejections: Vec<Rejected>,
}

/// One event that could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Rejected {
    /// Its place in the request, from 0.
    pub index: u32,
    /// The stable reason.
    pub code: &'static str,
    /// What was wrong, where, and what was expected.
    pub message: String,
    /// Its id, whenever that could be read.
    pub event_id: Option<String>,
}

impl Receipt {
    /// Enters an event that could not be decoded.
    pub fn reject(&mut self, index: u32, rejection: &Rejection) {
        self.rejected += 1;
        self.rejections.push(Rejected {
            index,
            code: rejection.code.name(),
            message: rejection.message.clone(),
            event_id: rejection.event_id.clone(),
        });
    }
}
