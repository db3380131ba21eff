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

/// The closed hours of one scope, as a detector reads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Whose spend it is.
    pub scope: Scope,
    /// Its hours with spend, in any order: those to be judged and the span before them that
    /// `Detector::history_seconds` asks for.
    pub hours: Vec<HourCost>,
    /// The first hour to be judged (again): a day before the last run's `until`, for late spend;
    /// the first hour there is when there was none.
    pub judge_from: Timestamp,
    /// The end of the last closed hour.
    pub until: Timestamp,
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
    /// What the hours that went over cost.
    pub actual: Usd,
    /// What they were expected to cost at most.
    pub expected: Usd,
    /// The threshold that its first hour went over.
    pub threshold: Usd,
    /// The largest contributors to the excess, largest first.
    pub contributors: Vec<Contribution>,
    /// One sentence for a person.
    pub explanation: String,
}

/// The sum, held at the largest amount: reached only beyond 10^26 USD.
pub(super) fn plus(a: Usd, b: Usd) -> Usd {
    a.checked_add(b).unwrap_or(Usd::from_pico(i128::MAX))
}
