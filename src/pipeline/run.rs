//! The loop: read, meter, batch, commit.
//!
//! In: a source and the lake. Out: committed rows. Data errors become dead letters; infrastructure
//! errors make it wait and try again; what would lose events stops it.

mod flush;

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::admit::Acceptance;
use super::batch::Batch;
use super::books::Books;
use super::committer::{Committer, Owned};
use super::config::PipelineConfig;
use super::decode::{Terms, outcomes_of};
use super::metrics::PipelineMetrics;
use super::pace::Pace;
use super::progress::Progress;
use super::watermark::Watermarks;
use crate::attribution::Rules;
use crate::crash;
use crate::lake::{Lake, LakeError};
use crate::source::{AvroDecoders, Message, Partition, Source, SourceError, Start, Step};
use crate::time::Clock;

/// Messages asked of the source at once.
const READ_LIMIT: usize = 4_096;
/// The wait after an infrastructure error, doubled each time up to the second one.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Why the pipeline stopped.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The source cannot go on.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The lake cannot go on.
    #[error(transparent)]
    Lake(#[from] LakeError),
}

/// What the pipeline is made of.
#[derive(Debug)]
pub struct Parts {
    /// The tables.
    pub lake: Arc<Lake>,
    /// The price book in force.
    pub books: Books,
    /// The tag rules.
    pub rules: Arc<Rules>,
    /// Decoders of Avro messages, and the registry behind them.
    pub decoders: AvroDecoders,
    /// How far event time has come; shared with whoever closes hours.
    pub watermarks: Arc<Mutex<Watermarks>>,
    /// What is told to an operator.
    pub metrics: PipelineMetrics,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where identities are kept that memory has no room for, until the process ends.
    pub folder: PathBuf,
}

/// The one path from a source to the tables.
pub struct Pipeline {
    config: PipelineConfig,
    source: Box<dyn Source>,
    parts: Parts,
    committer: Committer,
    batch: Batch,
    /// Dead letters and corrections past the stored offset, by partition: decided before a crash.
    decided_before: BTreeMap<String, HashSet<(i64, u32)>>,
    progress: Progress,
    pace: Pace,
}

impl PipelineError {
    /// Whether waiting may help.
    pub(super) const fn is_retryable(&self) -> bool {
        match self {
            Self::Source(error) => matches!(error, SourceError::Retryable { .. }),
            Self::Lake(error) => error.is_retryable(),
        }
    }
}

impl Pipeline {
    /// Reads the identities of the lake and is ready to run.
    ///
    /// # Errors
    /// [`PipelineError::Lake`].
    pub async fn open(
        config: PipelineConfig,
        source: Box<dyn Source>,
        parts: Parts,
    ) -> Result<Self, PipelineError> {
        let identity_bytes_max = config.identity_bytes_max.0;
        let committer =
            Committer::open(parts.lake.clone(), identity_bytes_max, &parts.folder).await?;
        let usual = if parts.lake.root().scheme() == "file" { 1 } else { 5 };
        let flush_interval =
            config.flush_interval.map_or(Duration::from_secs(usual), |interval| interval.0);
        Ok(Self {
            config,
            source,
            parts,
            committer,
            batch: Batch::default(),
            decided_before: BTreeMap::new(),
            progress: Progress::default(),
            pace: Pace::new(flush_interval),
        })
    }

    /// Runs until `stop`, then commits what waits and leaves the source.
    ///
    /// # Errors
    /// [`PipelineError`] when going on would lose or double events.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), PipelineError> {
        let mut backoff = BACKOFF.0;
        while !stop.is_cancelled() {
            let wait = self.until_flush();
            let step = tokio::select! {
                step = self.source.next(READ_LIMIT, wait) => step,
                () = stop.cancelled() => break,
            };
            crash::point("run.polled");
            match step {
                Ok(step) => {
                    backoff = BACKOFF.0;
                    self.absorb(step).await?;
                }
                Err(SourceError::Retryable { what, why }) => {
                    warn!(what, why, "the source does not answer; trying again");
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(BACKOFF.1);
                }
                Err(fatal) => return Err(fatal.into()),
            }
            if self.is_due() {
                self.flush(&stop).await?;
            }
            self.observe(self.batch.since());
        }
        crash::point("stop.begun");
        self.flush(&stop).await?;
        crash::point("stop.flushed");
        self.source.close().await;
        crash::point("stop.left");
        Ok(())
    }

    async fn absorb(&mut self, step: Step) -> Result<(), PipelineError> {
        match step {
            Step::Messages(messages) => self.take(messages).await,
            Step::Assigned(partitions) => {
                for partition in partitions {
                    self.assign(&partition).await?;
                }
                Ok(())
            }
            Step::Revoked(partitions) => {
                for partition in partitions {
                    crash::point("revoke.begun");
                    info!(topic = partition.topic, partition = partition.number, "revoked");
                    self.batch.drop_partition(&partition);
                    self.decided_before.remove(&partition.app_id);
                    self.watermarks(|marks| marks.revoked(&partition.topic, partition.number));
                    self.progress.revoked(&partition, &self.parts.metrics);
                    crash::point("revoke.dropped");
                }
                Ok(())
            }
            Step::Idle => Ok(()),
        }
    }

    /// Begins with a partition, however often the lake or the broker must be asked.
    async fn assign(&mut self, partition: &Arc<Partition>) -> Result<(), PipelineError> {
        let mut backoff = BACKOFF.0;
        loop {
            match self.begin(partition).await {
                Err(error) if error.is_retryable() => {
                    let (topic, number) = (&partition.topic, partition.number);
                    warn!(topic, number, %error, "cannot begin with a partition; trying again");
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(BACKOFF.1);
                }
                begun => return begun,
            }
        }
    }

    async fn begin(&mut self, partition: &Arc<Partition>) -> Result<(), PipelineError> {
        let now = self.parts.clock.now();
        self.watermarks(|marks| marks.assigned(&partition.topic, partition.number, now));
        crash::point("assign.begun");
        let low = self.source.extent(partition).map_or(0, |extent| extent.low);
        let Owned { next, decided } = self.committer.own(partition, low).await?;
        crash::point("assign.owned");
        self.progress.reached(partition, next);
        self.decided_before.remove(&partition.app_id);
        if !decided.is_empty() {
            self.decided_before.insert(partition.app_id.clone(), decided);
        }
        info!(topic = partition.topic, partition = partition.number, next, "assigned");
        crash::point("assign.read_back");
        self.seek(partition, next).await?;
        crash::point("assign.sought");
        Ok(())
    }

    /// Reads a partition on from an offset. A seek that fails is tried again: going on without it
    /// would leave a gap.
    async fn seek(&mut self, partition: &Partition, next: i64) -> Result<(), PipelineError> {
        loop {
            match self.source.seek(partition, Start::Offset(next)).await {
                Err(SourceError::Retryable { what, why }) => {
                    warn!(topic = partition.topic, what, why, "cannot seek; trying again");
                    tokio::time::sleep(BACKOFF.0).await;
                }
                sought => return Ok(sought?),
            }
        }
    }

    async fn take(&mut self, messages: Vec<Message>) -> Result<(), PipelineError> {
        let terms = self.terms();
        let mut held: HashSet<String> = HashSet::new();
        for message in messages {
            if held.contains(&message.partition.app_id) {
                continue;
            }
            match outcomes_of(&message, &terms, &mut self.parts.decoders).await {
                Ok(outcomes) => self.keep(&message, outcomes),
                Err(SourceError::Retryable { what, why }) => {
                    let topic = &message.partition.topic;
                    warn!(topic, what, why, "holding the partition; trying again");
                    self.seek(&message.partition, message.offset).await?;
                    held.insert(message.partition.app_id.clone());
                }
                Err(fatal) => return Err(fatal.into()),
            }
        }
        crash::point("run.decoded");
        if !held.is_empty() {
            tokio::time::sleep(BACKOFF.0).await;
        }
        Ok(())
    }

    fn keep(&mut self, message: &Message, mut outcomes: Vec<super::batch::Outcome>) {
        let metrics = &self.parts.metrics;
        match &message.payload {
            None => metrics.tombstones.inc(),
            Some(_) => {
                let events = outcomes.iter().filter(|outcome| outcome.is_event());
                metrics.events_read.inc_by(events.count() as u64);
            }
        }
        if let Some(decided) = self.decided_before.get(&message.partition.app_id) {
            outcomes.retain(|outcome| {
                let lineage = outcome.lineage();
                !decided.contains(&(lineage.offset, lineage.index))
            });
        }
        let bytes = message.payload.as_ref().map_or(0, |payload| payload.len());
        self.batch.take(&message.partition, message.offset, outcomes, bytes);
    }

    fn terms(&self) -> Terms {
        Terms {
            book: self.parts.books.current(),
            rules: self.parts.rules.clone(),
            acceptance: Acceptance {
                ahead_micros: self.config.max_ahead.micros(),
                age_micros: Some(self.config.max_age.micros()),
            },
            now: self.parts.clock.now(),
        }
    }

    fn watermarks<T>(&self, change: impl FnOnce(&mut Watermarks) -> T) -> T {
        let marks = self.parts.watermarks.lock();
        change(&mut marks.unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Tells the lag, and how long what came in at `since` has waited.
    fn observe(&self, since: Option<Instant>) {
        let waited = since.map_or(Duration::ZERO, |since| since.elapsed());
        self.parts.metrics.oldest_unflushed_seconds.set(waited.as_secs_f64());
        self.progress.observe(self.source.as_ref(), &self.parts.metrics);
    }
}
