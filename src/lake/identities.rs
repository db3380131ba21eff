//! The identities that are in the table: what duplicate detection is rebuilt from.

use arrow::array::{AsArray, RecordBatch};
use futures::StreamExt;
use futures::stream::BoxStream;

use super::changes::Changes;
use super::error::LakeError;
use super::files::DataFile;
use super::snapshot::Snapshot;
use super::table::{Table, path_of};
use crate::event::Identity;

/// How many files are read at a time.
const READ_AT_ONCE: usize = 8;

/// The identity of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Its hashes.
    pub identity: Identity,
    /// Whether a later event will finalize it.
    pub is_provisional: bool,
}

const COLUMNS: [&str; 3] = ["identity_hash", "content_hash", "provisional"];

/// The identities of one data file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identities {
    /// The file's partition, `2026-11-23`.
    pub date: Option<String>,
    /// Each row's.
    pub rows: Vec<Counted>,
}

impl Table {
    /// Reads the identity and content hashes of data files; of nothing else, and of a few files at
    /// a time. Files come in their order.
    pub fn identities<'a>(
        &'a self,
        files: &'a [DataFile],
    ) -> BoxStream<'a, Result<Identities, LakeError>> {
        let reads = files.iter().map(move |file| async move {
            let batches = self.read(file, Some(&COLUMNS)).await?;
            let rows = batches.iter().filter_map(counted).flatten().collect();
            Ok(Identities { date: file.date.clone(), rows })
        });
        futures::stream::iter(reads).buffered(READ_AT_ONCE).boxed()
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
