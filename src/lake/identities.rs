//! The identities that are in the table: what duplicate detection is rebuilt from.

use arrow::array::{AsArray, RecordBatch};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};

use super::changes::Changes;
use super::error::LakeError;
use super::files::DataFile;
use super::snapshot::Snapshot;
use super::table::{Table, path_of};
use crate::event::Identity;

/// How many files are read at a time.
const READ_AT_ONCE: usize = 8;

/// Files up to this size are fetched side by side; larger ones are streamed one after the other.
const FETCHED_WHOLE_MAX: u64 = 16 << 20;

/// The identity of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Its hashes.
    pub identity: Identity,
    /// Whether a later event will finalize it.
    pub is_provisional: bool,
}

const COLUMNS: [&str; 3] = ["identity_hash", "content_hash", "provisional"];

impl Table {
    /// Reads the identity and content hashes of data files, in the order of the files: of nothing
    /// else, of a few files at a time, and of a large file a part at a time.
    pub fn identities<'a>(
        &'a self,
        files: &'a [DataFile],
    ) -> BoxStream<'a, Result<Vec<Counted>, LakeError>> {
        let opened = futures::stream::iter(files).map(move |file| self.identities_of(file));
        opened.buffered(READ_AT_ONCE).try_flatten().boxed()
    }

    async fn identities_of(
        &self,
        file: &DataFile,
    ) -> Result<BoxStream<'static, Result<Vec<Counted>, LakeError>>, LakeError> {
        let path = file.path.clone();
        let missing = move || LakeError::internal(format!("reading `{path}`"), "no identities");
        let rows = self.open_file(file, Some(&COLUMNS)).await?.rows;
        let parts = rows.map(move |batch| counted(&batch?).ok_or_else(&missing));
        if file.size > FETCHED_WHOLE_MAX {
            return Ok(parts.boxed());
        }
        let whole: Vec<Vec<Counted>> = parts.try_collect().await?;
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

fn counted(batch: &RecordBatch) -> Option<Vec<Counted>> {
    let identities = batch.column_by_name("identity_hash")?.as_binary_opt::<i32>()?;
    let contents = batch.column_by_name("content_hash")?.as_binary_opt::<i32>()?;
    let provisional = batch.column_by_name("provisional")?.as_boolean_opt()?;
    let rows = identities.iter().zip(contents).zip(provisional);
    let rows = rows.filter_map(|((identity, content), provisional)| {
        let identity_hash = identity?.try_into().ok()?;
        let content_hash = content?.try_into().ok()?;
        let identity = Identity { identity_hash, content_hash };
        Some(Counted { identity, is_provisional: provisional.unwrap_or_default() })
    });
    Some(rows.collect())
}
