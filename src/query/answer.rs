//! An answer: its columns, the table versions that it was read from, and its rows as they come.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::error::QueryError;
use super::rows::Rows;
use crate::lake::TableName;
use crate::setting::ByteSize;

/// What an answer may still use.
#[derive(Debug)]
pub(super) struct Allowance {
    pub(super) rows: usize,
    pub(super) bytes: ByteSize,
    pub(super) timeout: Duration,
    pub(super) deadline: Instant,
    /// Whether errors may quote rows.
    pub(super) tells: bool,
    /// Ends it before its time.
    pub(super) cancel: CancellationToken,
}

/// What an answer has come to, for whoever keeps books about it.
#[derive(Debug, Default)]
pub struct Used {
    rows: AtomicUsize,
    bytes: AtomicUsize,
    outcome: OnceLock<&'static str>,
}

impl Used {
    /// The rows given so far.
    pub fn rows(&self) -> usize {
        self.rows.load(Ordering::Relaxed)
    }

    /// Their bytes in memory.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// `ok`, `truncated`, or an error's code; `None` while there may be more rows.
    pub fn outcome(&self) -> Option<&'static str> {
        self.outcome.get().copied()
    }

    fn end(&self, outcome: &'static str) {
        // The first end is the one that counts.
        self.outcome.get_or_init(|| outcome);
    }
}

/// Makes the token of the page that follows so many rows.
pub type NextPage = Arc<dyn Fn(usize) -> String + Send + Sync>;

/// The answer to a question. Dropping it ends the query.
pub struct Answer {
    /// The tables that were read, and at which version: the same question of the same versions has
    /// the same answer.
    pub versions: Vec<(TableName, u64)>,
    /// Where it is a page of a longer answer.
    pub next_page: Option<NextPage>,
    rows: Rows,
    left: Allowance,
    used: Arc<Used>,
    truncated: bool,
}

impl Answer {
    pub(super) fn new(mut rows: Rows, left: Allowance) -> Self {
        let versions = std::mem::take(&mut rows.versions);
        let (next_page, used) = (None, Arc::default());
        Self { versions, next_page, rows, left, used, truncated: false }
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.rows.schema)
    }

    /// Whether rows were left out because of the row limit; known once there are no more rows.
    pub const fn truncated(&self) -> bool {
        self.truncated
    }

    /// The token of the next page, where this is a page and there is another one; known once there
    /// are no more rows.
    pub fn page_token(&self) -> Option<String> {
        let next = self.next_page.as_ref().filter(|_| self.truncated)?;
        Some(next(self.used.rows()))
    }

    /// When it ends, read or not.
    pub const fn deadline(&self) -> Instant {
        self.left.deadline
    }

    /// Whether it was asked by who sees every row.
    pub const fn sees_all(&self) -> bool {
        self.left.tells
    }

    /// What it has come to so far; it goes on counting.
    pub fn used(&self) -> Arc<Used> {
        Arc::clone(&self.used)
    }

    /// The next rows; `None` after the last ones.
    ///
    /// # Errors
    /// [`QueryError::Timeout`], [`QueryError::Cancelled`], [`QueryError::TooLarge`] or
    /// [`QueryError::Failed`]; nothing follows an error.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, QueryError>> {
        let next = self.next_batch().await;
        match &next {
            Some(Ok(_)) => {}
            Some(Err(error)) => self.used.end(error.code()),
            None => self.used.end(if self.truncated { "truncated" } else { "ok" }),
        }
        next
    }

    async fn next_batch(&mut self) -> Option<Result<RecordBatch, QueryError>> {
        loop {
            if self.truncated {
                return None;
            }
            let next = tokio::select! {
                next = tokio::time::timeout_at(self.left.deadline, self.rows.next()) => next,
                () = self.left.cancel.cancelled() => return Some(Err(QueryError::Cancelled)),
            };
            let batch = match next {
                Err(_) => return Some(Err(QueryError::Timeout(self.left.timeout))),
                Ok(None) => return None,
                Ok(Some(Err(error))) => return Some(Err(error)),
                Ok(Some(Ok(batch))) => batch,
            };
            if batch.num_rows() > 0
                && let Some(taken) = self.take(batch).transpose()
            {
                return Some(taken);
            }
        }
    }

    /// The part of a batch that the limits leave.
    fn take(&mut self, batch: RecordBatch) -> Result<Option<RecordBatch>, QueryError> {
        self.truncated = batch.num_rows() > self.left.rows;
        let batch = if self.truncated { batch.slice(0, self.left.rows) } else { batch };
        self.left.rows -= batch.num_rows();
        let bytes = batch_bytes(&batch);
        self.used.rows.fetch_add(batch.num_rows(), Ordering::Relaxed);
        if self.used.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > self.left.bytes.0 {
            let limit = self.left.bytes.0;
            let detail = format!("the answer is larger than {limit} bytes: ask for less at a time");
            return Err(QueryError::TooLarge(detail));
        }
        Ok((batch.num_rows() > 0).then_some(batch))
    }

    /// All rows at once.
    ///
    /// # Errors
    /// The first error of [`Answer::next`].
    pub async fn collect(&mut self) -> Result<Vec<RecordBatch>, QueryError> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next().await {
            batches.push(batch?);
        }
        Ok(batches)
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("versions", &self.versions).finish_non_exhaustive()
    }
}

/// The bytes of a batch's own rows: buffers that it shares with others count once per row.
fn batch_bytes(batch: &RecordBatch) -> usize {
    let column = |array: &Arc<dyn arrow::array::Array>| {
        array.to_data().get_slice_memory_size().unwrap_or_else(|_| array.get_array_memory_size())
    };
    batch.columns().iter().map(column).sum()
}
