//! The message that an incident's revision is published as: `schemas/anomaly.v1.json`.

use serde::Serialize;

use super::{Anomaly, IncidentState, Scope};
use crate::money::Usd;

#[derive(Serialize)]
struct Message<'a> {
    schema_version: u8,
    anomaly_id: String,
    revision: u32,
    state: &'static str,
    detector: &'a str,
    scope: &'static str,
    tenant: &'a str,
    model: Option<&'a str>,
    window_start: String,
    window_end: String,
    actual_usd: String,
    expected_usd: String,
    excess_usd: String,
    threshold_usd: String,
    contributors: Vec<MessageContribution<'a>>,
    explanation: &'a str,
}

#[derive(Serialize)]
struct MessageContribution<'a> {
    dimension: &'a str,
    value: &'a str,
    excess_usd: String,
    share_percent: u8,
}

impl IncidentState {
    /// The name in messages and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved => "resolved",
        }
    }
}

impl Anomaly {
    /// What was spent beyond what was expected.
    pub fn excess(&self) -> Usd {
        Usd::from_pico(self.actual.pico().saturating_sub(self.expected.pico()))
    }

    /// The message as JSON text. Its key is the anomaly's id, so that a compacted topic keeps the
    /// latest revision. Amounts are exact decimals in text, times RFC 3339 in UTC.
    pub fn message(&self) -> String {
        let (scope, tenant, model) = match &self.scope {
            Scope::Tenant { tenant } => ("tenant", tenant.as_str(), None),
            Scope::TenantModel { tenant, model } => {
                ("tenant_model", tenant.as_str(), Some(model.as_str()))
            }
        };
        let contributors = self.contributors.iter().map(|contribution| MessageContribution {
            dimension: &contribution.dimension,
            value: &contribution.value,
            excess_usd: contribution.excess.to_string(),
            share_percent: contribution.share_percent,
        });
        let message = Message {
            schema_version: 1,
            anomaly_id: self.anomaly_id.to_string(),
            revision: self.revision,
            state: self.state.name(),
            detector: &self.detector,
            scope,
            tenant,
            model,
            window_start: self.window.start.to_string(),
            window_end: self.window.end.to_string(),
            actual_usd: self.actual.to_string(),
            expected_usd: self.expected.to_string(),
            excess_usd: self.excess().to_string(),
            threshold_usd: self.threshold.to_string(),
            contributors: contributors.collect(),
            explanation: &self.explanation,
        };
        // A struct of texts and numbers always has a JSON form.
        serde_json::to_string(&message).unwrap_or_default()
    }
}
