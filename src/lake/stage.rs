//! Data files before their commit: durable, and named by nothing yet.

use arrow::array::RecordBatch;
use object_store::ObjectStoreExt;

use super::error::LakeError;
use super::file_writer::FileWriter;
use super::parquet_file::Purpose;
use super::rows::Batch;
use super::table::{Table, path_of};

/// A data file that is written and durable, but not yet named by any commit.
#[derive(Debug, Clone)]
pub struct StagedFile {
    /// The path below the table's root, as the log will have it.
    pub path: String,
    /// The partition: days since the epoch.
    pub date: Option<i32>,
    /// How many rows it has.
    pub rows: usize,
    /// Its size.
    pub bytes: u64,
    /// The log's entry, without the part that the commit adds.
    pub(super) entry: RecordBatch,
}

impl Table {
    /// Writes a data file for each batch and returns once all are durable.
    ///
    /// # Errors
    /// [`LakeError::NoSpace`]: nothing of it is kept, write it again later.
    pub async fn write(&self, batches: Vec<Batch>) -> Result<Vec<StagedFile>, LakeError> {
        let write = batches.into_iter().map(|batch| async move {
            let writer = FileWriter::start(self, batch.date, Purpose::Ingest).await?;
            writer.push(batch.rows).await?.finish().await
        });
        futures::future::try_join_all(write).await
    }

    /// Deletes files that no commit will name; one that cannot be deleted is left to the vacuum.
    pub async fn discard(&self, files: &[StagedFile]) {
        for file in files {
            let path = self.root().join(&file.path).ok().and_then(|url| path_of(&url).ok());
            if let Some(path) = path
                && let Err(error) = self.object_store().delete(&path).await
            {
                tracing::debug!(%path, %error, "a discarded file was left to the vacuum");
            }
        }
    }
}
