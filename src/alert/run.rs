//! Looks at hours as they close, and publishes what is found.
//!
//! In: the committed rows and the watermark. Out: rows of `anomalies`, then messages. The table is
//! the outbox: each revision is in it exactly once, and published at least once, under a key and a
//! revision by which consumers keep the latest.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::config::AlertConfig;
use super::hours::Hours;
use super::known::{self, Stored};
use crate::anomaly::{Anomaly, Detector};
use crate::crash;
use crate::lake::{AnomalyRow, Commit, Lake, LakeError, Outcome, Rows, Snapshot, Table, TableName};
use crate::pipeline::Watermarks;
use crate::source::{Publisher, SourceError};
use crate::time::{Clock, Timestamp};

/// Under this id: the version of `calls` that was read.
const APP_READ: &str = "tokenmeter/alert";
/// Under this id: the end of the last hour judged, in seconds.
const APP_UNTIL: &str = "tokenmeter/alert/until";
/// Under this id: up to when revisions were published, in microseconds.
const APP_PUBLISHED: &str = "tokenmeter/alert/published";
/// Late spend still changes hours for a day.
const LATENESS_SECONDS: i64 = 24 * 3_600;

/// Why a round failed; the next one tries again.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// The tables.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The topic.
    #[error(transparent)]
    Publish(#[from] SourceError),
}

/// Finds anomalies and publishes them.
#[derive(Debug)]
pub struct Alerts {
    config: AlertConfig,
    detector: Detector,
    lake: Arc<Lake>,
    watermarks: Arc<Mutex<Watermarks>>,
    publisher: Arc<dyn Publisher>,
    clock: Arc<dyn Clock>,
    hours: Hours,
    /// The end of the hours and the version of `calls` that the last round looked at.
    looked_at: Option<(Timestamp, u64)>,
}

impl Alerts {
    /// Nothing looked at yet.
    pub fn new(
        config: AlertConfig,
        lake: Arc<Lake>,
        watermarks: Arc<Mutex<Watermarks>>,
        publisher: Arc<dyn Publisher>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let detector = Detector::new(config.detector.clone());
        let hours = Hours::default();
        Self { config, detector, lake, watermarks, publisher, clock, hours, looked_at: None }
    }

    /// Runs round after round, until told to stop.
    pub async fn run(mut self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(self.config.interval.0)).await.is_some() {
            match stop.run_until_cancelled(self.round()).await {
                Some(Err(error)) => tracing::warn!(%error, "looking for anomalies failed"),
                Some(Ok(())) => {}
                None => return,
            }
        }
    }

    /// Judges the hours that have closed since the last round, and publishes.
    ///
    /// # Errors
    /// [`AlertError`]; what was not done is done by the next round.
    pub async fn round(&mut self) -> Result<(), AlertError> {
        if let Some(until) = self.closed_until() {
            self.judge(until).await?;
        }
        self.publish().await
    }

    /// Judges all hours up to `until`, whatever the watermark says.
    ///
    /// # Errors
    /// [`LakeError`].
    pub async fn judge(&mut self, until: Timestamp) -> Result<(), LakeError> {
        let calls = self.lake.table(TableName::Calls);
        let version = calls.refresh().await?;
        if self.looked_at == Some((until, version.version())) {
            return Ok(());
        }
        let anomalies = self.anomalies().refresh().await?;
        let judged = anomalies.next_offset(APP_UNTIL).await?;
        let judged = judged.and_then(|seconds| Timestamp::from_millis(seconds * 1_000));
        let judge_from = judged.map_or(Timestamp::EPOCH, |at| at.plus_seconds(-LATENESS_SECONDS));
        let since = match judged {
            Some(_) => judge_from.plus_seconds(-self.detector.history_seconds()),
            None => Timestamp::EPOCH,
        };
        let table = self.lake.table(TableName::Calls).clone();
        self.hours.update(&table, &version, (since, until)).await?;
        let stored = known::stored(self.anomalies(), &anomalies).await?;
        let known = known::latest(&stored);
        let series = self.hours.series(since, until, judge_from);
        let found: Vec<Anomaly> =
            series.iter().flat_map(|series| self.detector.detect(series, &known)).collect();
        let after = stored.last().map(|stored| stored.written_at);
        self.store(&anomalies, found, after, (until, version.version())).await?;
        self.looked_at = Some((until, version.version()));
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn table(&self) -> &Table {
        self.anomalies()
    }

    fn anomalies(&self) -> &Table {
        self.lake.table(TableName::Anomalies)
    }

    /// The end of the last hour that has closed.
    fn closed_until(&self) -> Option<Timestamp> {
        let now = self.clock.now();
        let mut marks = self.watermarks.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = marks.at(now)?;
        Some(mark.plus_micros(self.config.close_after.micros().saturating_neg()).hour_start())
    }

    /// One commit: the revisions, written later than all before them, and how far this has come.
    /// Another instance's commit in between is a conflict, and the next round looks again.
    pub(super) async fn store(
        &self,
        on: &Snapshot,
        found: Vec<Anomaly>,
        after: Option<Timestamp>,
        (until, read): (Timestamp, u64),
    ) -> Result<(), LakeError> {
        let judged = on.next_offset(APP_UNTIL).await?.unwrap_or(i64::MIN);
        let until = (until.millis() / 1_000).max(judged);
        if found.is_empty() && until == judged {
            return Ok(());
        }
        let mut rows = Rows::default();
        // Distinct times, and later ones whatever the clock says: the outbox is published in their
        // order, and what was published is known by them.
        let mut published_at = self.clock.now().max(after.unwrap_or(Timestamp::EPOCH));
        for anomaly in found {
            published_at = published_at.plus_micros(1);
            rows.push(&AnomalyRow { anomaly, published_at });
        }
        let read = i64::try_from(read).unwrap_or(i64::MAX);
        let read = on.next_offset(APP_READ).await?.map_or(read, |stored| stored.max(read));
        crash::point("alert.judged");
        let staged = self.anomalies().write(rows.finish()?).await?;
        let transactions = vec![(APP_READ.to_owned(), read), (APP_UNTIL.to_owned(), until)];
        let mut commit = Commit::append(staged, transactions);
        commit.amends = true;
        crash::point("alert.staged");
        match self.anomalies().commit(on, &commit).await? {
            Outcome::Committed(_) => Ok(()),
            Outcome::Conflicted { .. } | Outcome::Superseded { .. } => {
                self.anomalies().discard(&commit.add).await;
                let what = "storing anomalies".to_owned();
                let why = "another commit came first".to_owned();
                Err(LakeError::Retryable { what, why })
            }
        }
    }

    /// Publishes what the table has and the topic may not.
    async fn publish(&self) -> Result<(), AlertError> {
        let table = self.anomalies();
        let snapshot = table.snapshot()?;
        let published = snapshot.next_offset(APP_PUBLISHED).await?.unwrap_or(i64::MIN);
        let stored = known::stored(table, &snapshot).await?;
        let waiting = stored.iter().filter(|stored| stored.written_at.micros() > published);
        let mut last = None;
        for Stored { anomaly, written_at } in waiting {
            let key = anomaly.anomaly_id.to_string();
            let message = anomaly.message();
            tracing::warn!(anomaly = message, "{}", anomaly.explanation);
            self.publisher.publish(&key, Bytes::from(message)).await?;
            crash::point("alert.published");
            last = Some(written_at.micros());
        }
        crash::point("alert.outbox_done");
        if let Some(last) = last {
            let commit = Commit::append(Vec::new(), vec![(APP_PUBLISHED.to_owned(), last)]);
            // A conflict means they are published again: consumers keep the highest revision.
            table.commit(&snapshot, &commit).await?;
        }
        Ok(())
    }
}
