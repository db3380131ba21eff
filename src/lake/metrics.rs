//! What a table tells an operator: how its commits end, how far it is, what maintenance did.

use prometheus::core::Collector;
use prometheus::{IntCounterVec, IntGauge, Opts};

use super::commit::Outcome;
use super::error::LakeError;
use super::maintenance::Report;
use super::tables::TableName;

const OUTCOMES: [&str; 5] = ["committed", "conflicted", "superseded", "unanswered", "failed"];
const DONE: [&str; 8] = [
    "file_merged",
    "merge_given_up",
    "checkpoint_written",
    "file_deleted",
    "log_entry_deleted",
    "day_closed",
    "duplicate_found",
    "failed",
];

/// One table's metrics.
#[derive(Debug, Clone)]
pub struct TableMetrics {
    commits: IntCounterVec,
    maintenance: IntCounterVec,
    version: IntGauge,
}

impl TableMetrics {
    /// Makes them, each with the table as a label.
    ///
    /// # Errors
    /// Never for these names.
    pub fn new(table: TableName) -> Result<Self, LakeError> {
        Self::named(table.name()).map_err(|error| LakeError::internal("making metrics", error))
    }

    fn named(table: &str) -> Result<Self, prometheus::Error> {
        let options = |name, help| Opts::new(name, help).const_label("table", table);
        let counters = |name, help, label: &str, values: &[&str]| {
            let counters = IntCounterVec::new(options(name, help), &[label])?;
            // A counter that is not there yet cannot raise an alarm.
            values.iter().for_each(|value| drop(counters.with_label_values(&[value])));
            Ok::<_, prometheus::Error>(counters)
        };
        Ok(Self {
            commits: counters(
                "tokenmeter_commits_total",
                "Attempts to commit: `conflicted` ones lost the version to another writer and are \
                 tried again, `superseded` ones were in the table already, of `unanswered` ones \
                 the log was asked",
                "outcome",
                &OUTCOMES,
            )?,
            maintenance: counters(
                "tokenmeter_maintenance_total",
                "What maintenance did. `duplicate_found`: identities that a closed day has twice",
                "done",
                &DONE,
            )?,
            version: IntGauge::with_opts(options(
                "tokenmeter_table_version",
                "The newest version that this process knows of",
            ))?,
        })
    }

    /// A commit has ended.
    pub(super) fn ended(&self, result: &Result<Outcome, LakeError>) {
        let outcome = match result {
            Ok(Outcome::Committed(_)) => "committed",
            Ok(Outcome::Conflicted { .. }) => "conflicted",
            Ok(Outcome::Superseded { .. }) => "superseded",
            Err(_) => "failed",
        };
        self.commits.with_label_values(&[outcome]).inc();
    }

    /// A commit got no answer.
    pub(super) fn unanswered(&self) {
        self.commits.with_label_values(&["unanswered"]).inc();
    }

    /// A newer version is known.
    pub(super) fn at(&self, version: u64) {
        self.version.set(i64::try_from(version).unwrap_or(i64::MAX));
    }

    /// A day was closed, and so many of its identities are there twice.
    pub(super) fn closed(&self, duplicates: u64) {
        self.maintenance.with_label_values(&["day_closed"]).inc();
        self.maintenance.with_label_values(&["duplicate_found"]).inc_by(duplicates);
    }

    /// A round of maintenance has ended.
    pub(super) fn maintained(&self, result: &Result<Report, LakeError>) {
        let add = |done, count: usize| {
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            self.maintenance.with_label_values(&[done]).inc_by(count);
        };
        match result {
            Ok(report) => {
                add("file_merged", report.files_merged);
                add("merge_given_up", report.merges_given_up);
                add("checkpoint_written", usize::from(report.checkpoint.is_some()));
                add("file_deleted", report.files_deleted);
                add("log_entry_deleted", report.entries_deleted);
            }
            Err(_) => add("failed", 1),
        }
    }

    /// All of them, to be registered.
    pub fn collectors(&self) -> Vec<Box<dyn Collector>> {
        vec![
            Box::new(self.commits.clone()),
            Box::new(self.maintenance.clone()),
            Box::new(self.version.clone()),
        ]
    }
}
