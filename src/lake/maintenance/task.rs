//! The task that runs it all, one step at a time.

use std::collections::HashMap;

use tokio_util::sync::CancellationToken;

use super::checkpoint::{checkpoint, clean_log};
use super::close::close_one;
use super::hold::is_held;
use super::merge::{Merged, merge};
use super::plan::groups;
use super::vacuum::{Unnamed, sweep};
use crate::lake::config::MaintenanceConfig;
use crate::lake::error::LakeError;
use crate::lake::open::Lake;
use crate::lake::table::Table;
use crate::lake::tables::{DayCloseRow, TableName};
use crate::time::Timestamp;

/// What one run over one table did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    /// Files that became fewer.
    pub files_merged: usize,
    /// Merges that were given up, since somebody else rewrote their files.
    pub merges_given_up: usize,
    /// The version that a checkpoint was written of.
    pub checkpoint: Option<u64>,
    /// Data files that were deleted.
    pub files_deleted: usize,
    /// Log entries that were deleted.
    pub entries_deleted: usize,
}

/// Keeps tables fast to read. One per process.
#[derive(Debug)]
pub struct Maintenance {
    config: MaintenanceConfig,
    merged_at: HashMap<(TableName, Option<String>), Timestamp>,
    cleaned_at: HashMap<TableName, Timestamp>,
    unnamed: HashMap<TableName, Unnamed>,
}

impl Maintenance {
    /// Nothing done yet.
    pub fn new(config: MaintenanceConfig) -> Self {
        Self {
            config,
            merged_at: HashMap::new(),
            cleaned_at: HashMap::new(),
            unnamed: HashMap::new(),
        }
    }

    /// Runs over all tables again and again, until told to stop. Errors are logged and tried again
    /// with the next round.
    pub async fn run(mut self, lake: Lake, stop: CancellationToken) {
        let pause = self.config.look_every.0;
        while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            for table in lake.tables() {
                match stop.run_until_cancelled(self.run_once(table)).await {
                    Some(Ok(report)) if report == Report::default() => {}
                    Some(Ok(report)) => {
                        tracing::info!(table = table.name().name(), ?report, "maintained");
                    }
                    Some(Err(error)) => {
                        tracing::warn!(table = table.name().name(), %error, "maintenance failed");
                    }
                    None => return,
                }
            }
            match stop.run_until_cancelled(self.close_day(&lake)).await {
                Some(Err(error)) => tracing::warn!(%error, "closing a day failed"),
                Some(Ok(_)) => {}
                None => return,
            }
        }
    }

    /// Closes the earliest day that is due: it is sorted into few files, its rows, identities and
    /// cost are counted and written to `day_closes`. An identity that is there twice is an alarm.
    ///
    /// # Errors
    /// The first step that fails; the day is tried again.
    pub async fn close_day(&self, lake: &Lake) -> Result<Option<DayCloseRow>, LakeError> {
        let closed = close_one(lake, &self.config).await?;
        if let Some(day) = &closed {
            tracing::info!(?day, "a day was closed");
            lake.table(TableName::DayCloses).metrics().closed(day.duplicates);
        }
        if let Some(day) = closed.as_ref().filter(|day| day.duplicates > 0) {
            tracing::error!(?day, "a closed day has identities twice: `doctor` says what to do");
        }
        Ok(closed)
    }

    /// Does what is due on one table.
    ///
    /// # Errors
    /// The first step that fails; what was done before it stays done.
    pub async fn run_once(&mut self, table: &Table) -> Result<Report, LakeError> {
        let done = self.maintain(table).await;
        table.metrics().maintained(&done);
        done
    }

    async fn maintain(&mut self, table: &Table) -> Result<Report, LakeError> {
        let mut report = Report::default();
        self.merge_due(table, &mut report).await?;
        report.checkpoint = checkpoint(table, self.config.checkpoint_every).await?;
        let now = table.now();
        let cleaned_at = self.cleaned_at.get(&table.name());
        let pause = self.config.clean_every.micros();
        let due = cleaned_at.is_none_or(|at| now.micros_since(*at) >= pause);
        if due {
            let unnamed = self.unnamed.entry(table.name()).or_default();
            let kept = self.config.keep_files.micros();
            report.files_deleted = unnamed.vacuum(table, kept).await?;
            report.files_deleted += sweep(table, kept).await?;
            report.entries_deleted = clean_log(table).await?;
            self.cleaned_at.insert(table.name(), now);
        }
        Ok(report)
    }

    async fn merge_due(&mut self, table: &Table, report: &mut Report) -> Result<(), LakeError> {
        let (name, now) = (table.name(), table.now());
        let snapshot = table.refresh().await?;
        if is_held(&snapshot, now).await? {
            return Ok(());
        }
        let files = snapshot.files().await?;
        let due = |date: Option<&str>| {
            let merged_at = self.merged_at.get(&(name, date.map(str::to_owned)));
            merged_at.is_none_or(|at| now.micros_since(*at) >= self.config.merge_every.micros())
        };
        for group in groups(&files, &self.config, due) {
            // An earlier merge of this round moved the version.
            let on = table.snapshot()?;
            match merge(table, &on, &group).await? {
                Merged::Files(files) => report.files_merged += files,
                Merged::GivenUp => report.merges_given_up += 1,
            }
            self.merged_at.insert((name, group.date), now);
        }
        Ok(())
    }
}
