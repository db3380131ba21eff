//! `anomalies`: incidents, a row per revision; the highest revision is what is known now.

use crate::anomaly::{Anomaly, Contribution, IncidentState, Scope};
use crate::lake::cell::Cell;
use crate::lake::column::{Column, columns};
use crate::lake::rows::Row;
use crate::time::Timestamp;

/// One row of `anomalies`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnomalyRow {
    /// The incident as known at this revision.
    pub anomaly: Anomaly,
    /// When this revision was written.
    pub published_at: Timestamp,
}

impl AnomalyRow {
    fn tenant(&self) -> &str {
        match &self.anomaly.scope {
            Scope::Tenant { tenant } | Scope::TenantModel { tenant, .. } => tenant,
        }
    }

    fn model(&self) -> Option<&str> {
        match &self.anomaly.scope {
            Scope::Tenant { .. } => None,
            Scope::TenantModel { model, .. } => Some(model),
        }
    }

    const fn scope(&self) -> &'static str {
        match self.anomaly.scope {
            Scope::Tenant { .. } => "tenant",
            Scope::TenantModel { .. } => "tenant_model",
        }
    }

    const fn state(&self) -> &'static str {
        match self.anomaly.state {
            IncidentState::Open => "open",
            IncidentState::Resolved => "resolved",
        }
    }

    fn contributors(&self) -> Option<String> {
        let entries = self.anomaly.contributors.iter().map(contributor);
        Some(serde_json::Value::Array(entries.collect()).to_string())
    }
}

/// Amounts are decimal text: a JSON number would be read as a float.
fn contributor(entry: &Contribution) -> serde_json::Value {
    serde_json::json!({
        "dimension": entry.dimension,
        "value": entry.value,
        "excess_usd": entry.excess.to_string(),
        "share_percent": entry.share_percent,
    })
}

impl Row for AnomalyRow {
    fn columns() -> &'static [Column<Self>] {
        COLUMNS
    }

    fn date(&self) -> Option<i32> {
        None
    }
}

columns! {
    pub(super) COLUMNS of AnomalyRow;

    /// Stable over revisions: UUID v5 of detector, scope, channel and first flagged hour.
    anomaly_id: Text.required() => |row| Cell::owned(Some(row.anomaly.anomaly_id.to_string()));
    /// 0 first; the highest one is what is known now.
    revision: Long.required() => |row| row.anomaly.revision;
    /// When this revision was written.
    published_at: Time.required() => |row| row.published_at;
    /// Where the incident stands: `open`, `resolved`.
    state: Text.required() => |row| row.state();
    /// What it is about: `tenant`, `tenant_model`.
    scope: Text.required() => |row| row.scope();
    /// The tenant.
    tenant: Text.required() => |row| row.tenant();
    /// The model, where the scope has one.
    model: Text => |row| row.model();
    /// Which detector, and which version of it.
    detector: Text.required() => |row| &row.anomaly.detector;
    /// The start of the first flagged hour.
    window_start: Time.required() => |row| row.anomaly.window.start;
    /// The end of the last flagged hour.
    window_end: Time.required() => |row| row.anomaly.window.end;
    /// What was spent in the window.
    actual_usd: Usd.required().unit("USD") => |row| row.anomaly.actual;
    /// What was expected in it.
    expected_usd: Usd.required().unit("USD") => |row| row.anomaly.expected;
    /// The threshold that its first hour went over.
    threshold_usd: Usd.required().unit("USD") => |row| row.anomaly.threshold;
    /// Who drove the excess, largest first: JSON, amounts as decimal text.
    contributors: Text.required().many() => |row| Cell::owned(row.contributors());
    /// One sentence for a person.
    explanation: Text.required().many() => |row| &row.anomaly.explanation;
}
