//! The spool's reading end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::Connection;
use tokio::sync::watch;

use super::schema;
use super::writer::SpoolLog;
use crate::crash;
use crate::source::{Extent, Message, Partition, Source, SourceError, Start, Step};
use crate::time::Timestamp;

/// Bytes that one step brings at most, beyond its first message.
const STEP_BYTES_MAX: usize = 8 << 20;

/// The end that the pipeline reads: one partition, always ours.
#[derive(Debug)]
pub struct SpoolSource {
    path: PathBuf,
    /// The open file; away while it is read.
    connection: Option<Connection>,
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
        Self {
            path,
            connection: None,
            partition,
            log,
            written,
            announced: false,
            next: None,
            low,
            paused: false,
        }
    }

    /// Asks the file something without holding up other tasks.
    async fn ask<T: Send + 'static>(
        &mut self,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, SourceError> {
        let (path, open) = (self.path.clone(), self.connection.take());
        let asked = tokio::task::spawn_blocking(move || {
            let connection = open.map_or_else(|| schema::open_reader(&path), Ok)?;
            let answer = ask(&connection)?;
            Ok((connection, answer))
        });
        let asked = asked.await.map_err(|error| self.unreadable(&error.to_string()))?;
        let (connection, answer) =
            asked.map_err(|error: rusqlite::Error| self.unreadable(&error.to_string()))?;
        self.connection = Some(connection);
        Ok(answer)
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
        let partition = self.partition.clone();
        let read = move |file: &Connection| entries(file, &partition, next, limit);
        let messages = self.ask(read).await?;
        crash::point("spool.read");
        match messages.last() {
            None => Ok(Step::Idle),
            Some(last) => {
                self.next = Some(last.offset.saturating_add(1));
                Ok(Step::Messages(messages))
            }
        }
    }

    async fn seek(&mut self, _: &Partition, start: Start) -> Result<(), SourceError> {
        let extent = self.ask(schema::extent).await?;
        crash::point("spool.seeking");
        let next = match start {
            Start::Earliest => extent.low,
            Start::Offset(offset) if offset > extent.high => {
                return Err(SourceError::Fatal(format!(
                    "the lake has read the spool `{}` up to offset {offset}, but it ends before \
                     {}: it was replaced by an older copy; put the right one back",
                    self.path.display(),
                    extent.high
                )));
            }
            Start::Offset(offset) if offset < extent.low => {
                return Err(SourceError::Fatal(format!(
                    "the lake has read the spool `{}` up to offset {offset}, but what lies below \
                     {} was deleted when a lake had it: this lake is another one or an older \
                     copy; put the right one back",
                    self.path.display(),
                    extent.low
                )));
            }
            Start::Offset(offset) => offset,
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
    connection: &Connection,
    partition: &Arc<Partition>,
    from: i64,
    limit: usize,
) -> rusqlite::Result<Vec<Message>> {
    let query = "SELECT offset, accepted_at, payload FROM entries WHERE offset >= ?1
                 ORDER BY offset LIMIT ?2";
    let mut statement = connection.prepare_cached(query)?;
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
