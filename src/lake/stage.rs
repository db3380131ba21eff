//! Data files before their commit: durable, and named by nothing yet.

use arrow::array::RecordBatch;
use object_store::ObjectStoreExt;

use super::error::LakeError;
use super::file_writer::FileWriter;
use super::parquet_file::Purpose;
use super::rows::Batch;
use super::snapshot::blocking;
use super::sort::sorted;
use super::table::{Table, path_of};
use crate::time::Timestamp;

/// A file that was written so long ago is looked for before a commit names it: another engine's
/// VACUUM may have taken it for one that was left behind. Only a process that was paused, or a long
/// rewrite, waits so long.
const LOOK_AFTER_SECONDS: i64 = 10;

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
    /// When it was written.
    pub written_at: Timestamp,
    /// A version that the table had when its writing began.
    pub(super) begun_on: u64,
    /// The log's entry, without the part that the commit adds.
    pub(super) entry: RecordBatch,
}

impl Table {
    /// Writes a data file for each batch, its rows sorted, and returns once all are durable.
    ///
    /// # Errors
    /// [`LakeError::NoSpace`]: nothing of it is kept, write it again later.
    pub async fn write(&self, batches: Vec<Batch>) -> Result<Vec<StagedFile>, LakeError> {
        let write = batches.into_iter().map(|batch| async move {
            let what = format!("sorting rows of `{}`", self.name().name());
            let key: Vec<&'static str> = self.spec().sort_key().collect();
            let rows = blocking(what.clone(), move || sorted(&batch.rows, &key)).await?;
            let rows = rows.map_err(|why| LakeError::internal(what, why))?;
            let writer = FileWriter::start(self, batch.date, Purpose::Ingest).await?;
            writer.push(rows).await?.finish().await
        });
        futures::future::try_join_all(write).await
    }

    /// Looks for the files that have waited long for their commit.
    ///
    /// # Errors
    /// [`LakeError::Retryable`] when one is gone: it must be written again.
    pub(super) async fn find_staged(&self, files: &[StagedFile]) -> Result<(), LakeError> {
        let latest = self.now().plus_seconds(-LOOK_AFTER_SECONDS);
        for file in files.iter().filter(|file| file.written_at < latest) {
            let what = || format!("looking for `{}` before it is committed", file.path);
            let url = self.root().join(&file.path);
            let path = path_of(&url.map_err(|why| LakeError::internal(what(), why))?)?;
            let found = self.object_store().head(&path).await;
            found.map_err(|error| LakeError::from_store(what(), error))?;
        }
        Ok(())
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
