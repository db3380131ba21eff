//! The flush: what waits is committed, however long the lake takes, and the source is told.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{BACKOFF, Pipeline, PipelineError, READ_LIMIT};
use crate::crash;
use crate::pipeline::batch::Decided;
use crate::source::{SourceError, Step};
use crate::time::Timestamp;

impl Pipeline {
    pub(super) fn is_due(&self) -> bool {
        self.batch.rows() >= self.config.flush_rows
            || self.batch.bytes() >= self.config.flush_bytes.0
            || (!self.batch.is_empty() && self.until_flush().is_zero())
    }

    /// How long the oldest row may still wait.
    pub(super) fn until_flush(&self) -> Duration {
        let waited = self.batch.since().map_or(Duration::ZERO, |since| since.elapsed());
        self.pace.interval().saturating_sub(waited)
    }

    /// Commits what waits, however long the lake takes: while it stalls, fetching pauses, polling
    /// goes on and memory is bounded.
    pub(super) async fn flush(&mut self, stop: &CancellationToken) -> Result<(), PipelineError> {
        if self.batch.is_empty() {
            return Ok(());
        }
        crash::point("flush.begun");
        let since = self.batch.since();
        let mut decided = self.committer.decide(std::mem::take(&mut self.batch)).await?;
        crash::point("flush.decided");
        let mut backoff = BACKOFF.0;
        loop {
            let timer = self.parts.metrics.commit_seconds.start_timer();
            match self.committer.commit(&mut decided).await {
                Ok(conflicts) => {
                    timer.observe_duration();
                    self.pace.landed_after(conflicts);
                    crash::point("flush.committed");
                    self.committed(&decided).await;
                    crash::point("flush.told");
                    for partition in std::mem::take(&mut decided.lost) {
                        warn!(topic = partition.topic, partition = partition.number, "lost");
                        self.parts.metrics.partitions_lost.inc();
                        self.batch.drop_partition(&partition);
                        self.assign(&partition).await?;
                    }
                    break;
                }
                Err(error) if error.is_retryable() => {
                    timer.stop_and_discard();
                    warn!(%error, "the commit failed; trying again");
                    if stop.is_cancelled() && backoff >= BACKOFF.1 {
                        return Err(error.into());
                    }
                    self.observe(since);
                    self.stall(&mut decided, backoff).await?;
                    backoff = (backoff * 2).min(BACKOFF.1);
                }
                Err(fatal) => return Err(fatal.into()),
            }
        }
        Ok(self.source.pause(false)?)
    }

    /// Waits with the source paused, but alive.
    async fn stall(&mut self, decided: &mut Decided, wait: Duration) -> Result<(), PipelineError> {
        self.source.pause(true)?;
        match self.source.next(READ_LIMIT, wait).await {
            Ok(Step::Revoked(partitions)) => {
                for partition in &partitions {
                    decided.drop_partition(partition);
                }
                self.absorb(Step::Revoked(partitions)).await
            }
            Ok(Step::Idle) => Ok(()),
            Ok(step) => {
                self.absorb(step).await?;
                tokio::time::sleep(wait).await;
                Ok(())
            }
            Err(SourceError::Retryable { .. }) => {
                tokio::time::sleep(wait).await;
                Ok(())
            }
            Err(fatal) => Err(fatal.into()),
        }
    }

    async fn committed(&mut self, decided: &Decided) {
        let now = self.parts.clock.now();
        self.parts.metrics.committed(decided, now);
        self.parts.metrics.observe_identities(&mut self.committer.counted);
        let mut latest: BTreeMap<(&str, i32), Timestamp> = BTreeMap::new();
        for row in &decided.rows {
            let place = (row.row.lineage.topic.as_str(), row.row.lineage.partition);
            let at = row.row.charge.event.occurred_at;
            latest.entry(place).and_modify(|latest| *latest = at.max(*latest)).or_insert(at);
        }
        for ((topic, partition), at) in latest {
            self.watermarks(|marks| marks.observe(topic, partition, at, now));
        }
        crash::point("flush.counted");
        for (partition, next) in &decided.next {
            self.progress.reached(partition, *next);
            if let Err(error) = self.source.committed(partition, *next).await {
                warn!(%error, "the source could not be told what is committed");
            }
        }
    }
}
