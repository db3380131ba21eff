//! The audit log: a line for each question, when its answer has ended.
//!
//! Under the target `tokenmeter::audit`: who asked with which key, for which tenants, what, how
//! many rows and bytes came out, in how long, and how it ended. Never: a row, a parameter's value,
//! a key. Its outcome and its time are counted, too.

use std::sync::Arc;

use tokio::time::Instant;

use super::auth::{Caller, Tenants};
use super::metrics::{ApiMetrics, Protocol};
use super::state::App;
use crate::query::{Answer, QueryError, Used};

/// A question on its way; it writes its line when it is dropped.
pub(crate) struct Audit {
    metrics: ApiMetrics,
    protocol: Protocol,
    owner: String,
    key_id: String,
    tenants: String,
    statement: String,
    started: Instant,
    used: Option<Arc<Used>>,
    refused: Option<&'static str>,
}

impl Audit {
    /// Opens the account of a question.
    pub(crate) fn of(app: &App, protocol: Protocol, caller: &Caller, statement: &str) -> Self {
        let tenants = match &caller.tenants {
            Tenants::All => "*".to_owned(),
            Tenants::Only(tenants) => tenants.iter().cloned().collect::<Vec<_>>().join(","),
        };
        Self {
            metrics: app.metrics.clone(),
            protocol,
            owner: caller.sender.namespace.clone(),
            key_id: caller.key_id.clone().unwrap_or_default(),
            tenants,
            statement: statement.to_owned(),
            started: Instant::now(),
            used: None,
            refused: None,
        }
    }

    /// It is being answered.
    pub(crate) fn answered(&mut self, answer: &Answer) {
        self.used = Some(answer.used());
    }

    /// It had no answer.
    pub(crate) const fn refused(&mut self, error: &QueryError) {
        self.refused = Some(error.code());
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        let used = self.used.as_deref();
        let outcome = self.refused.or_else(|| used.and_then(Used::outcome));
        // Nobody waited for the end.
        let outcome = outcome.unwrap_or("cancelled");
        let took = self.started.elapsed();
        self.metrics.asked(self.protocol, outcome, took);
        tracing::info!(
            target: "tokenmeter::audit",
            owner = self.owner,
            key_id = self.key_id,
            tenants = self.tenants,
            statement = self.statement,
            rows = used.map_or(0, Used::rows),
            bytes = used.map_or(0, Used::bytes),
            ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            outcome,
            "a question was asked"
        );
    }
}
