//! What a detector reads and what it says.

use std::collections::BTreeMap;

use crate::money::Usd;
use crate::time::{Timestamp, Window};

/// What a cost series is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// All spend of one tenant.
    Tenant {
        /// The tenant.
        tenant: String,
    },
    /// One tenant's spend on one model.
    TenantModel {
        /// The tenant.
        tenant: String,
        /// The priced model, or the response's where there is no price.
        model: String,
    },
}

/// The cost of one scope in one closed hour of event time. Hours without spend are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourCost {
    /// The start of the hour, UTC.
    pub hour: Timestamp,
    /// What was spent in it.
    pub cost: Usd,
    /// How many calls.
    pub calls: u64,
    /// What was spent by value of each drill-down dimension: `model`, `feature`, `api_key`.
    pub by: BTreeMap<(String, String), Usd>,
}

/// Where an incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IncidentState {
    /// It goes on.
    Open,
    /// The scope went quiet.
    Resolved,
}

/// Who drove the excess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    /// The dimension: `model`, `feature`, `api_key`.
    pub dimension: String,
    /// Its value.
    pub value: String,
    /// What it spent beyond its own expectation.
    pub excess: Usd,
    /// Its share of the whole excess, in percent, rounded.
    pub share_percent: u8,
}

/// One incident of one scope, as known at one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anomaly {
    /// Stable over revisions: UUID v5 of detector version, scope, channel and first flagged hour.
    pub anomaly_id: uuid::Uuid,
    /// 0 first; the highest one is what is known now.
    pub revision: u32,
    /// Where it stands.
    pub state: IncidentState,
    /// What it is about.
    pub scope: Scope,
    /// Which detector, and which version of it: `p95x3/1`.
    pub detector: String,
    /// From the first flagged hour to the end of the last.
    pub window: Window,
    /// What was spent in it.
    pub actual: Usd,
    /// What was expected in it.
    pub expected: Usd,
    /// The threshold that its first hour went over.
    pub threshold: Usd,
    /// The largest contributors to the excess, largest first.
    pub contributors: Vec<Contribution>,
    /// One sentence for a person.
    pub explanation: String,
}
