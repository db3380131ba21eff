//! The spool's reading end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;

use super::schema;
use super::writer::SpoolLog;
use crate::source::{Extent, Message, Partition, Source, SourceError, Start, Step};
use crate::time::Timestamp;

/// Bytes that one step brings at most, beyond its first message.
const STEP_BYTES_MAX: usize = 8 << 20;

/// The end that the pipeline reads: one partition, always ours.
#[derive(Debug)]
pub struct SpoolSource {
    path: PathBuf,
    partition: Arc<Partition>,
    log: Arc<SpoolLog>,
    /// The offset after the last one that is durable.
    written: watch::Receiver<i64>,
    announced: bool,
    /// The next offset to read; `None` until the pipeline says so.
    next: Option<i64>,
    low: i64,
    paused: bool,
}

impl SpoolSource {
    pub(super) fn new(
        path: &Path,
        partition: Arc<Partition>,
        log: Arc<SpoolLog>,
        written: watch::Receiver<i64>,
        low: i64,
    ) -> Self {
        let path = path.to_owned();
        Self { path, partition, log, written, announced: false, next: None, low, paused: false }
    }

    async fn read(&mut self, from: i64, limit: usize) -> Result<Vec<Message>, SourceError> {
        let (path, partition) = (self.path.clone(), self.partition.clone());
        let read = tokio::task::spawn_blocking(move || entries(&path, &partition, from, limit));
        let messages = read.await.map_err(|error| self.unreadable(&error.to_string()))?;
        messages.map_err(|error| self.unreadable(&error.to_string()))
    }

    fn unreadable(&self, why: &str) -> SourceError {
        let what = format!("reading the spool `{}`", self.path.display());
        SourceError::Retryable { what, why: why.to_owned() }
    }
}

#[async_trait]
impl Source for SpoolSource {
    async fn next(&mut self, limit: usize, wait: Duration) -> Result<Step, SourceError> {
        if !self.announced {
            self.announced = true;
            return Ok(Step::Assigned(vec![self.partition.clone()]));
        }
        let ready = self.next.filter(|_| !self.paused);
        let Some(next) = ready else {
            tokio::time::sleep(wait).await;
            return Ok(Step::Idle);
        };
        let durable = tokio::time::timeout(wait, self.written.wait_for(|high| *high > next));
        match durable.await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) => return Err(SourceError::Fatal("the spool's writer has stopped".into())),
            Err(_) => return Ok(Step::Idle),
        }
        let messages = self.read(next, limit).await?;
        match messages.last() {
            None => Ok(Step::Idle),
            Some(last) => {
                self.next = Some(last.offset.saturating_add(1));
                Ok(Step::Messages(messages))
            }
        }
    }

    async fn seek(&mut self, partition: &Partition, start: Start) -> Result<(), SourceError> {
        let path = self.path.clone();
        let extent = tokio::task::spawn_blocking(move || {
            schema::open_reader(&path).and_then(|connection| schema::extent(&connection))
        });
        let extent = extent.await.map_err(|error| self.unreadable(&error.to_string()))?;
        let extent = extent.map_err(|error| self.unreadable(&error.to_string()))?;
        let next = match start {
            Start::Earliest => extent.low,
            Start::Offset(offset) if offset <= extent.high => offset,
            Start::Offset(offset) => {
                return Err(SourceError::Fatal(format!(
                    "the lake has read `{}` up to offset {offset}, but it ends before {}: it was \
                     replaced by an older copy; put the right one back",
                    partition.app_id, extent.high
                )));
            }
        };
        self.low = extent.low;
        self.next = Some(next);
        Ok(())
    }

    async fn committed(&mut self, _: &Partition, next: i64) -> Result<(), SourceError> {
        self.log.delete_below(next).await?;
        self.low = self.low.max(next);
        Ok(())
    }

    fn pause(&mut self, paused: bool) -> Result<(), SourceError> {
        self.paused = paused;
        Ok(())
    }

    fn extent(&self, _: &Partition) -> Option<Extent> {
        Some(Extent { low: self.low, high: *self.written.borrow() })
    }

    async fn close(&mut self) {}
}

fn entries(
    path: &Path,
    partition: &Arc<Partition>,
    from: i64,
    limit: usize,
) -> rusqlite::Result<Vec<Message>> {
    let connection = schema::open_reader(path)?;
    let query = "SELECT offset, accepted_at, payload FROM entries WHERE offset >= ?1
                 ORDER BY offset LIMIT ?2";
    let mut statement = connection.prepare(query)?;
    let mut rows = statement.query((from, i64::try_from(limit).unwrap_or(i64::MAX)))?;
    let mut messages = Vec::new();
    let mut bytes = 0;
    while bytes < STEP_BYTES_MAX
        && let Some(row) = rows.next()?
    {
        let payload: Vec<u8> = row.get(2)?;
        bytes += payload.len();
        messages.push(Message {
            partition: partition.clone(),
            offset: row.get(0)?,
            accepted_at: Timestamp::from_micros(row.get(1)?).unwrap_or(Timestamp::EPOCH),
            headers: Vec::new(),
            payload: Some(Bytes::from(payload)),
        });
    }
    Ok(messages)
}
