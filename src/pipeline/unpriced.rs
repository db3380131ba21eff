//! What was called without a price, as metrics: calls and tokens by provider and model.
//!
//! Together with `tokenmeter_rows_total` and `tokenmeter_tokens_total` they give the unpriced
//! share that `sql/unpriced_by_model.sql` and `costs` name. A sender may invent any number of
//! model names: beyond [`MODELS_MAX`] they are counted together as `__other__`.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus::core::Collector;
use prometheus::{IntCounterVec, Opts};

/// How many models are told apart.
pub const MODELS_MAX: usize = 500;
/// The name of all further ones.
const OTHER: &str = "__other__";
const LABELS: [&str; 2] = ["provider", "model"];

/// Calls and tokens without a price.
#[derive(Debug, Clone)]
pub struct UnpricedMetrics {
    calls: IntCounterVec,
    tokens: IntCounterVec,
    known: Arc<Mutex<BTreeSet<(String, String)>>>,
}

impl UnpricedMetrics {
    /// Makes both counters.
    ///
    /// # Errors
    /// Never for these names.
    pub fn new() -> Result<Self, prometheus::Error> {
        let counters = |name, help| IntCounterVec::new(Opts::new(name, help), &LABELS);
        Ok(Self {
            calls: counters(
                "tokenmeter_unpriced_calls_total",
                "Rows committed to calls without a price, by model",
            )?,
            tokens: counters(
                "tokenmeter_unpriced_tokens_total",
                "Tokens committed without a price, by model",
            )?,
            known: Arc::default(),
        })
    }

    /// Counts one committed call of a model that has no price.
    pub fn count(&self, provider: &str, model: &str, tokens: u64) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let named = (provider.to_owned(), model.to_owned());
        let is_told_apart = known.contains(&named) || known.len() < MODELS_MAX;
        let labels = if is_told_apart { [provider, model] } else { [OTHER, OTHER] };
        if is_told_apart {
            known.insert(named);
        }
        self.calls.with_label_values(&labels).inc();
        self.tokens.with_label_values(&labels).inc_by(tokens);
    }

    /// Both, to be registered.
    pub fn collectors(&self) -> [Box<dyn Collector>; 2] {
        [Box::new(self.calls.clone()), Box::new(self.tokens.clone())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invented_models_are_counted_together() {
        let metrics = UnpricedMetrics::new().expect("metrics");
        for number in 0..MODELS_MAX + 3 {
            metrics.count("openai", &format!("invented-{number}"), 2);
        }
        metrics.count("openai", "invented-0", 5);
        let count = |counter: &IntCounterVec, labels| counter.with_label_values(labels).get();
        assert_eq!(count(&metrics.calls, &["openai", "invented-0"]), 2);
        assert_eq!(count(&metrics.tokens, &["openai", "invented-0"]), 7);
        assert_eq!(count(&metrics.calls, &[OTHER, OTHER]), 3);
        assert_eq!(count(&metrics.tokens, &[OTHER, OTHER]), 6);
    }
}
