//! The identities that are in the table: what duplicate detection is rebuilt from.

use arrow::array::{AsArray, RecordBatch};
use futures::StreamExt;
use futures::stream::BoxStream;

use super::changes::Changes;
use super::error::LakeError;
use super::files::DataFile;
use super::snapshot::Snapshot;
use super::table::{Table, path_of};

/// How many files are read at a time.
const READ_AT_ONCE: usize = 8;

/// The identities of one data file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identities {
    /// The file's partition, `2026-11-23`.
    pub date: Option<String>,
    /// Identity hash and content hash of each row.
    pub hashes: Vec<([u8; 16], [u8; 16])>,
}

impl Table {
    /// Reads the identity and content hashes of data files; of nothing else, and of a few files at
    /// a time. Files come in any order.
    pub fn identities<'a>(
        &'a self,
        files: &'a [DataFile],
    ) -> BoxStream<'a, Result<Identities, LakeError>> {
        let reads = files.iter().map(move |file| async move {
            let batches = self.read(file, Some(&["identity_hash", "content_hash"])).await?;
            let hashes = batches.iter().filter_map(hashes).flatten().collect();
            Ok(Identities { date: file.date.clone(), hashes })
        });
        futures::stream::iter(reads).buffer_unordered(READ_AT_ONCE).boxed()
    }

    /// The data files whose rows were added after version `since`, up to `to`; those that merges
    /// wrote hold no new rows and are left out. `None` when the log does not reach back so far:
    /// read all files then.
    ///
    /// # Errors
    /// [`LakeError::Retryable`] when the log cannot be read.
    pub async fn added_since(
        &self,
        since: u64,
        to: &Snapshot,
    ) -> Result<Option<Vec<DataFile>>, LakeError> {
        let (store, root) = (self.object_store(), path_of(self.root())?);
        let changes =
            Changes::between(&store, &root, since, to.version()).await.map_err(|error| {
                LakeError::from_store(format!("reading the log of `{}`", self.name().name()), error)
            })?;
        let Some(changes) = changes else { return Ok(None) };
        let added = changes.into_iter().flat_map(|change| change.added);
        Ok(Some(added.filter(|(_, is_new)| *is_new).map(|(file, _)| file).collect()))
    }
}

fn hashes(batch: &RecordBatch) -> Option<Vec<([u8; 16], [u8; 16])>> {
    let identity = batch.column_by_name("identity_hash")?.as_binary_opt::<i32>()?;
    let content = batch.column_by_name("content_hash")?.as_binary_opt::<i32>()?;
    let both = identity.iter().zip(content);
    Some(both.filter_map(|(a, b)| Some((a?.try_into().ok()?, b?.try_into().ok()?))).collect())
}
