//! Rows as something else makes them: a task of this process, or a worker process.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinHandle;

use super::error::QueryError;
use super::views::{plain_rows, plain_schema};
use crate::lake::TableName;

/// An answer that has begun: what it reads, and its rows as they come. Dropping it ends the query.
pub(super) struct Rows {
    /// The tables that are read, and at which version.
    pub(super) versions: Vec<(TableName, u64)>,
    /// The columns.
    pub(super) schema: SchemaRef,
    batches: Receiver<Result<RecordBatch, QueryError>>,
    /// Until it has ended and was asked how.
    task: Option<JoinHandle<()>>,
}

impl Rows {
    /// The rows that a task puts into a channel.
    pub(super) const fn new(
        versions: Vec<(TableName, u64)>,
        schema: SchemaRef,
        batches: Receiver<Result<RecordBatch, QueryError>>,
        task: JoinHandle<()>,
    ) -> Self {
        Self { versions, schema, batches, task: Some(task) }
    }

    /// The rows of a stream, made by a task of its own: one that does not yield cannot hold up a
    /// deadline.
    pub(super) fn of(
        versions: Vec<(TableName, u64)>,
        mut stream: SendableRecordBatchStream,
        tells: bool,
    ) -> Self {
        let schema = plain_schema(&stream.schema());
        let columns = Arc::clone(&schema);
        let (sender, batches) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            while let Some(batch) = stream.next().await {
                let batch = batch.and_then(|batch| Ok(plain_rows(batch, &columns)?));
                let batch = batch.map_err(|why| QueryError::running(&why, tells));
                let failed = batch.is_err();
                if sender.send(batch).await.is_err() || failed {
                    break;
                }
            }
        });
        Self::new(versions, schema, batches, task)
    }

    /// The next rows; `None` after the last ones.
    pub(super) async fn next(&mut self) -> Option<Result<RecordBatch, QueryError>> {
        match self.batches.recv().await {
            Some(batch) => Some(batch),
            None => self.end().await.err().map(Err),
        }
    }

    /// Whether the task ended by itself.
    async fn end(&mut self) -> Result<(), QueryError> {
        let panicked = |_| QueryError::Internal("the query panicked".to_owned());
        match self.task.take() {
            Some(task) => task.await.map_err(panicked),
            None => Ok(()),
        }
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
