//! What the pipeline tells an operator.

use prometheus::{
    Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry,
};

use super::unpriced::UnpricedMetrics;

/// The pipeline's metrics.
#[derive(Debug, Clone)]
pub struct PipelineMetrics {
    /// Events read, whatever became of them.
    pub events_read: IntCounter,
    /// Rows committed, by cost status.
    pub rows: IntCounterVec,
    /// Dead letters committed, by reason.
    pub dead_letters: IntCounterVec,
    /// Corrections queued, by reason.
    pub corrections: IntCounterVec,
    /// Tombstones skipped.
    pub tombstones: IntCounter,
    /// Commits, by outcome: committed, conflicted, unknown, failed.
    pub commits: IntCounterVec,
    /// How long a commit took, both tables.
    pub commit_seconds: Histogram,
    /// Messages behind the end, by partition.
    pub lag: IntGaugeVec,
    /// How old the oldest row is that waits for its commit.
    pub oldest_unflushed_seconds: Gauge,
    /// Identities held for finding duplicates.
    pub identities: IntGauge,
    /// Tokens committed, by cost status.
    pub tokens: IntCounterVec,
    /// What has no price, by provider and model.
    pub unpriced: UnpricedMetrics,
    /// Reloads of the price book, by outcome: loaded, broken.
    pub book_reloads: IntCounterVec,
    /// Whether the price book was last refreshed over 60 days ago.
    pub book_stale: IntGauge,
}

impl PipelineMetrics {
    /// Makes the metrics and registers them.
    ///
    /// # Errors
    /// When the registry has one of them already.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            events_read: IntCounter::new("tokenmeter_events_read_total", "Events read")?,
            rows: counters("tokenmeter_rows_total", "Rows committed to calls", "cost_status")?,
            dead_letters: counters("tokenmeter_dead_letters_total", "Dead letters", "reason")?,
            corrections: counters("tokenmeter_corrections_total", "Corrections queued", "reason")?,
            tombstones: IntCounter::new("tokenmeter_tombstones_total", "Null messages skipped")?,
            commits: counters("tokenmeter_commits_total", "Commits to calls", "outcome")?,
            commit_seconds: Histogram::with_opts(HistogramOpts::new(
                "tokenmeter_commit_seconds",
                "Seconds a commit took",
            ))?,
            lag: IntGaugeVec::new(
                Opts::new("tokenmeter_source_lag", "Messages behind the end"),
                &["topic", "partition"],
            )?,
            oldest_unflushed_seconds: Gauge::new(
                "tokenmeter_oldest_unflushed_seconds",
                "Age of the oldest row that waits for its commit",
            )?,
            identities: IntGauge::new("tokenmeter_identities", "Identities held in memory")?,
            tokens: counters("tokenmeter_tokens_total", "Tokens committed", "cost_status")?,
            unpriced: UnpricedMetrics::new()?,
            book_reloads: counters("tokenmeter_price_book_reloads_total", "Reloads", "outcome")?,
            book_stale: IntGauge::new(
                "tokenmeter_price_book_stale",
                "1 when the price book was last refreshed over 60 days ago",
            )?,
        };
        for collector in metrics.collectors() {
            registry.register(collector)?;
        }
        Ok(metrics)
    }

    fn collectors(&self) -> Vec<Box<dyn prometheus::core::Collector>> {
        let mut collectors: Vec<Box<dyn prometheus::core::Collector>> = vec![
            Box::new(self.events_read.clone()),
            Box::new(self.rows.clone()),
            Box::new(self.dead_letters.clone()),
            Box::new(self.corrections.clone()),
            Box::new(self.tombstones.clone()),
            Box::new(self.commits.clone()),
            Box::new(self.commit_seconds.clone()),
            Box::new(self.lag.clone()),
            Box::new(self.oldest_unflushed_seconds.clone()),
            Box::new(self.identities.clone()),
            Box::new(self.tokens.clone()),
            Box::new(self.book_reloads.clone()),
            Box::new(self.book_stale.clone()),
        ];
        collectors.extend(self.unpriced.collectors());
        collectors
    }
}

fn counters(name: &str, help: &str, label: &str) -> Result<IntCounterVec, prometheus::Error> {
    IntCounterVec::new(Opts::new(name, help), &[label])
}
