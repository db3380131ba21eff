//! The identities that are in the table: what duplicate detection is rebuilt from.

use arrow::array::{AsArray, RecordBatch};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};

use super::changes::Changes;
use super::error::LakeError;
use super::files::DataFile;
use super::snapshot::Snapshot;
use super::table::{Table, path_of};

/// How many files are read at a time.
const READ_AT_ONCE: usize = 8;

/// Files up to this size are fetched side by side; larger ones are streamed one after the other.
const FETCHED_WHOLE_MAX: u64 = 16 << 20;

/// Identities of one data file: all, or some of a large one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identities {
    /// The file's date, as days since the epoch.
    pub days: Option<i32>,
    /// Identity hash and content hash of each row.
    pub hashes: Vec<([u8; 16], [u8; 16])>,
}

impl Table {
    /// Reads the identity and content hashes of data files, in the order of the files: of nothing
    /// else, of a few files at a time, and of a large file a part at a time.
    pub fn identities<'a>(
        &'a self,
        files: &'a [DataFile],
    ) -> BoxStream<'a, Result<Identities, LakeError>> {
        let opened = futures::stream::iter(files).map(move |file| self.identities_of(file));
        opened.buffered(READ_AT_ONCE).try_flatten().boxed()
    }

    async fn identities_of(
        &self,
        file: &DataFile,
    ) -> Result<BoxStream<'static, Result<Identities, LakeError>>, LakeError> {
        let days = file.days();
        let rows = self.open_file(file, Some(&["identity_hash", "content_hash"])).await?.rows;
        let parts = rows
            .map_ok(move |batch| Identities { days, hashes: hashes(&batch).unwrap_or_default() });
        if file.size > FETCHED_WHOLE_MAX {
            return Ok(parts.boxed());
        }
        let whole: Vec<Identities> = parts.try_collect().await?;
        Ok(futures::stream::iter(whole.into_iter().map(Ok)).boxed())
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
