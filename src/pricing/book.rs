//! The price book.

use super::{Cost, CostStatus};
use crate::event::CallEvent;
use crate::usage::Usage;

/// Dated price rows in layers.
#[derive(Debug, Default)]
pub struct PriceBook {}

impl PriceBook {
    /// What `usage` of `event` costs at the event's time, for a tenant with its overrides.
    pub fn rate(&self, _event: &CallEvent, _usage: &Usage, _tenant: Option<&str>) -> Cost {
        Cost::unknown(CostStatus::Unpriced)
    }
}
