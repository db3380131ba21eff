//! Chooses the dialect whose rules an event's counters follow.

use std::collections::BTreeMap;

use super::{Flags, Usage, UsageStatus};
use crate::event::{CallEvent, Rejection};

/// Turns an event's usage block into disjoint classes.
///
/// # Errors
/// A [`Rejection`] when the counts are impossible.
pub fn normalize(_event: &CallEvent) -> Result<Usage, Rejection> {
    Ok(Usage {
        requests: Vec::new(),
        status: UsageStatus::UnknownUsage,
        dialect: String::new(),
        service_tier: None,
        facts: BTreeMap::new(),
        reported_cost: None,
        flags: Flags::default(),
    })
}
