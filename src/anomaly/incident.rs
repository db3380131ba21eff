//! One incident: the hours that went over, and what there is to say about them.

use super::contributors::contributors;
use super::series::plus;
use super::{Anomaly, HourCost, IncidentState, Scope, Series, explain};
use crate::money::Usd;
use crate::time::{Timestamp, Window};

/// Whatever this detector finds is spend that jumped up.
const CHANNEL: &str = "spike";

/// An hour that went over.
#[derive(Debug)]
pub(super) struct Hour<'a> {
    pub cost: &'a HourCost,
    /// What it was expected to cost at most.
    pub expected: Usd,
    /// What it went over.
    pub threshold: Usd,
    /// The hours it was compared with.
    pub usual: Vec<&'a HourCost>,
}

/// Hours that went over with less than a day between them; never without any.
#[derive(Debug)]
pub(super) struct Incident<'a> {
    first: Hour<'a>,
    more: Vec<Hour<'a>>,
}

impl<'a> Incident<'a> {
    /// An incident that starts with this hour.
    pub const fn new(first: Hour<'a>) -> Self {
        Self { first, more: Vec::new() }
    }

    /// Goes on with a later hour.
    pub fn push(&mut self, hour: Hour<'a>) {
        self.more.push(hour);
    }

    /// From the first hour to the end of the last.
    pub fn window(&self) -> Window {
        let last = self.more.last().unwrap_or(&self.first);
        let start = self.first.cost.hour;
        Window { start, end: Window::hour_of(last.cost.hour).end }
    }

    /// The incident as it stands at the end of the series, at revision 0.
    pub fn anomaly(&self, series: &Series, detector: &str, id: Option<uuid::Uuid>) -> Anomaly {
        let window = self.window();
        let start = window.start;
        let hours = || std::iter::once(&self.first).chain(&self.more);
        let is_over = window.end >= series.until;
        let mut anomaly = Anomaly {
            anomaly_id: id.unwrap_or_else(|| identity(detector, &series.scope, start)),
            revision: 0,
            state: if is_over { IncidentState::Open } else { IncidentState::Resolved },
            scope: series.scope.clone(),
            detector: detector.to_owned(),
            window,
            actual: hours().map(|hour| hour.cost.cost).fold(Usd::ZERO, plus),
            expected: hours().map(|hour| hour.expected).fold(Usd::ZERO, plus),
            threshold: self.first.threshold,
            contributors: contributors(&series.scope, hours(), &self.first.usual),
            explanation: String::new(),
        };
        anomaly.explanation = explain::sentence(&anomaly, self.more.len() + 1);
        anomaly
    }
}

/// The last revision of an incident that is not seen any more.
pub(super) fn ended(known: &Anomaly) -> Anomaly {
    let revision = known.revision.saturating_add(1);
    Anomaly { revision, state: IncidentState::Resolved, ..known.clone() }
}

/// UUID v5 of detector version, scope, channel and first hour, each preceded by its length.
fn identity(detector: &str, scope: &Scope, first: Timestamp) -> uuid::Uuid {
    let (kind, tenant, model) = match scope {
        Scope::Tenant { tenant } => ("tenant", tenant.as_str(), ""),
        Scope::TenantModel { tenant, model } => ("tenant_model", tenant.as_str(), model.as_str()),
    };
    let first = first.to_string();
    let parts = [detector, kind, tenant, model, CHANNEL, &first];
    let name: String = parts.iter().map(|part| format!("{}:{part}", part.len())).collect();
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes())
}
