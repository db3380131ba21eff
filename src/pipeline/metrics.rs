//! What the pipeline tells an operator.

use prometheus::{
    Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry,
};

use super::batch::Decided;
use super::identities::CountedIdentities;
use super::unpriced::UnpricedMetrics;
use crate::event::RejectionCode;
use crate::pricing::CostStatus;
use crate::time::Timestamp;

/// Bounds of the times from a sender's acknowledgement to the table, in seconds.
const FRESHNESS: [f64; 12] =
    [0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0, 7_200.0];

/// The pipeline's metrics.
#[derive(Debug, Clone)]
pub struct PipelineMetrics {
    /// Events read, whatever became of them.
    pub events_read: IntCounter,
    /// Rows committed, by cost status.
    pub rows: IntCounterVec,
    /// Dead letters committed, by reason.
    pub dead_letters: IntCounterVec,
    /// Dead letters replayed.
    pub dead_letters_replayed: IntCounter,
    /// Corrections queued, by reason.
    pub corrections: IntCounterVec,
    /// Tombstones skipped.
    pub tombstones: IntCounter,
    /// How long a batch took, from its first table's commit to the last one's.
    pub commit_seconds: Histogram,
    /// From the log's acceptance of an event to its row's commit.
    pub freshness_seconds: Histogram,
    /// When the last batch was committed.
    pub last_commit_seconds: Gauge,
    /// Partitions that another process took over before we heard of it.
    pub partitions_lost: IntCounter,
    /// Messages not committed yet, by partition.
    pub lag: IntGaugeVec,
    /// How old the oldest row is that waits for its commit.
    pub oldest_unflushed_seconds: Gauge,
    /// Identities known for finding duplicates.
    pub identities: IntGauge,
    /// The memory that they take.
    pub identity_bytes: IntGauge,
    /// What they take on the disk.
    pub identity_disk_bytes: IntGauge,
    /// Identities that were looked up on the disk, by outcome: found, absent.
    pub identity_lookups: IntCounterVec,
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
            dead_letters: counters(
                "tokenmeter_dead_letters_total",
                "Dead letters committed; duplicates and conflicts of an identity are among them",
                "reason",
            )?,
            dead_letters_replayed: IntCounter::new(
                "tokenmeter_dead_letters_replayed_total",
                "Dead letters replayed; what became of their events is counted as of any other",
            )?,
            corrections: counters("tokenmeter_corrections_total", "Corrections queued", "reason")?,
            tombstones: IntCounter::new("tokenmeter_tombstones_total", "Null messages skipped")?,
            commit_seconds: Histogram::with_opts(HistogramOpts::new(
                "tokenmeter_commit_seconds",
                "Seconds that a batch took to be committed to all its tables",
            ))?,
            freshness_seconds: freshness()?,
            last_commit_seconds: Gauge::new(
                "tokenmeter_last_commit_timestamp_seconds",
                "When the last batch was committed, in seconds since 1970",
            )?,
            partitions_lost: IntCounter::new(
                "tokenmeter_partitions_lost_total",
                "Partitions found taken over by another process; what was in flight of them was \
                 dropped, for the other one reads it",
            )?,
            lag: IntGaugeVec::new(
                Opts::new(
                    "tokenmeter_source_lag",
                    "Messages that are in the source and not committed",
                ),
                &["topic", "partition"],
            )?,
            oldest_unflushed_seconds: Gauge::new(
                "tokenmeter_oldest_unflushed_seconds",
                "Age of the oldest row that waits for its commit",
            )?,
            identities: IntGauge::new("tokenmeter_identities", "Identities known")?,
            identity_bytes: IntGauge::new(
                "tokenmeter_identity_bytes",
                "Memory that the known identities take",
            )?,
            identity_disk_bytes: IntGauge::new(
                "tokenmeter_identity_disk_bytes",
                "What they take below data_dir, in files without a name",
            )?,
            identity_lookups: counters(
                "tokenmeter_identity_lookups_total",
                "Identities looked up on the disk",
                "outcome",
            )?,
            tokens: counters("tokenmeter_tokens_total", "Tokens committed", "cost_status")?,
            unpriced: UnpricedMetrics::new()?,
            book_reloads: counters("tokenmeter_price_book_reloads_total", "Reloads", "outcome")?,
            book_stale: IntGauge::new(
                "tokenmeter_price_book_stale",
                "1 when the price book was last refreshed over 60 days ago",
            )?,
        };
        metrics.begin();
        for collector in metrics.collectors() {
            registry.register(collector)?;
        }
        Ok(metrics)
    }

    /// Shows what has not happened yet as 0: a counter that is not there cannot raise an alarm.
    fn begin(&self) {
        for code in RejectionCode::ALL {
            self.dead_letters.with_label_values(&[code.name()]);
        }
        for status in CostStatus::ALL {
            self.rows.with_label_values(&[status.name()]);
            self.tokens.with_label_values(&[status.name()]);
        }
        for outcome in ["loaded", "broken"] {
            self.book_reloads.with_label_values(&[outcome]);
        }
        for outcome in ["found", "absent"] {
            self.identity_lookups.with_label_values(&[outcome]);
        }
    }

    /// Counts a batch that is committed.
    pub(super) fn committed(&self, batch: &Decided, now: Timestamp) {
        for pending in &batch.rows {
            let charge = &pending.row.charge;
            let status = charge.cost.status.name();
            self.rows.with_label_values(&[status]).inc();
            let tokens = charge.usage.tokens();
            let count = tokens.map_or(0, |tokens| tokens.present().map(|(_, n)| n).sum());
            self.tokens.with_label_values(&[status]).inc_by(count);
            if charge.cost.status == CostStatus::Unpriced {
                self.unpriced.count(&charge.event.provider, &charge.event.model, count);
            }
            self.freshness_seconds.observe(seconds(now.micros_since(pending.accepted_at)));
        }
        for dead in &batch.dead_committed {
            self.dead_letters.with_label_values(&[dead.reason.name()]).inc();
        }
        self.dead_letters_replayed.inc_by(batch.replayed_committed.len() as u64);
        for correction in &batch.corrections_committed {
            self.corrections.with_label_values(&[correction.reason]).inc();
        }
        self.last_commit_seconds.set(seconds(now.micros()));
    }

    /// Tells what is known of identities, and what was looked up since the last time.
    pub(super) fn observe_identities(&self, counted: &mut CountedIdentities) {
        let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.identities.set(gauge(counted.seen.count()));
        self.identity_bytes.set(gauge(counted.seen.bytes()));
        self.identity_disk_bytes.set(gauge(counted.seen.disk_bytes()));
        let asked = std::mem::take(&mut counted.asked);
        self.identity_lookups.with_label_values(&["found"]).inc_by(asked.found);
        self.identity_lookups.with_label_values(&["absent"]).inc_by(asked.absent);
    }

    /// All of them.
    pub(crate) fn collectors(&self) -> Vec<Box<dyn prometheus::core::Collector>> {
        let mut collectors: Vec<Box<dyn prometheus::core::Collector>> = vec![
            Box::new(self.events_read.clone()),
            Box::new(self.rows.clone()),
            Box::new(self.dead_letters.clone()),
            Box::new(self.dead_letters_replayed.clone()),
            Box::new(self.corrections.clone()),
            Box::new(self.tombstones.clone()),
            Box::new(self.commit_seconds.clone()),
            Box::new(self.freshness_seconds.clone()),
            Box::new(self.last_commit_seconds.clone()),
            Box::new(self.partitions_lost.clone()),
            Box::new(self.lag.clone()),
            Box::new(self.oldest_unflushed_seconds.clone()),
            Box::new(self.identities.clone()),
            Box::new(self.identity_bytes.clone()),
            Box::new(self.identity_disk_bytes.clone()),
            Box::new(self.identity_lookups.clone()),
            Box::new(self.tokens.clone()),
            Box::new(self.book_reloads.clone()),
            Box::new(self.book_stale.clone()),
        ];
        collectors.extend(self.unpriced.collectors());
        collectors
    }
}

fn freshness() -> Result<Histogram, prometheus::Error> {
    let help = "Seconds from the log's acceptance of an event to its row's commit";
    let told = HistogramOpts::new("tokenmeter_freshness_seconds", help);
    Histogram::with_opts(told.buckets(FRESHNESS.to_vec()))
}

fn counters(name: &str, help: &str, label: &str) -> Result<IntCounterVec, prometheus::Error> {
    IntCounterVec::new(Opts::new(name, help), &[label])
}

fn seconds(micros: i64) -> f64 {
    let micros = u64::try_from(micros).unwrap_or_default();
    std::time::Duration::from_micros(micros).as_secs_f64()
}
