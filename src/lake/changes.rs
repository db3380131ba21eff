//! What one version did: the files it added and removed, read from its log entry.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};

use super::files::{DataFile, Statistics, records};
use super::log;
use super::tables::DATE;

/// How many log entries are read at a time.
const READ_AT_ONCE: usize = 8;

/// What one version did to the files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Changes {
    /// Files it added, and whether their rows are new: a merge's are not.
    pub(super) added: Vec<(DataFile, bool)>,
    /// Paths of files it removed.
    pub(super) removed: Vec<String>,
    /// Its transactions: application id and version.
    pub(super) transactions: Vec<(String, i64)>,
}

impl Changes {
    /// The changes of the versions after `since` up to `to`, in order; `None` when the log does not
    /// reach back so far.
    pub(super) async fn between(
        store: &Arc<dyn ObjectStore>,
        root: &Path,
        since: u64,
        to: u64,
    ) -> Result<Option<Vec<Self>>, Error> {
        let reads = (since.saturating_add(1)..=to).map(|version| {
            let entry = log::entry(root, version);
            async move { Ok(Self::read(&store.get(&entry).await?.bytes().await?)) }
        });
        let changes: Result<Vec<Self>, Error> =
            futures::stream::iter(reads).buffered(READ_AT_ONCE).try_collect().await;
        match changes {
            Ok(changes) => Ok(Some(changes)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn read(entry: &[u8]) -> Self {
        let mut changes = Self::default();
        for line in entry.split(|byte| *byte == b'\n') {
            let Ok(action) = serde_json::from_slice::<Action>(line) else { continue };
            changes.added.extend(action.add.map(Add::file));
            changes.removed.extend(action.remove.map(|remove| remove.path));
            changes.transactions.extend(action.txn.map(|txn| (txn.app_id, txn.version)));
        }
        changes
    }

    /// The files of a version that follows one with `files`.
    pub(super) fn apply(files: &[DataFile], changes: Vec<Self>) -> Vec<DataFile> {
        let mut files = files.to_vec();
        for change in changes {
            let removed: HashSet<String> = change.removed.into_iter().collect();
            files.retain(|file| !removed.contains(&file.path));
            files.extend(change.added.into_iter().map(|(file, _)| file));
        }
        files
    }
}

#[derive(serde::Deserialize)]
struct Action {
    add: Option<Add>,
    remove: Option<Remove>,
    txn: Option<Transaction>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transaction {
    app_id: String,
    version: i64,
}

#[derive(serde::Deserialize)]
struct Remove {
    path: String,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Add {
    path: String,
    size: u64,
    modification_time: i64,
    data_change: bool,
    partition_values: BTreeMap<String, Option<String>>,
    stats: Option<String>,
}

impl Add {
    fn file(mut self) -> (DataFile, bool) {
        let file = DataFile {
            path: self.path,
            size: self.size,
            modified_at: self.modification_time,
            date: self.partition_values.remove(DATE).flatten(),
            records: self.stats.as_deref().and_then(records),
            statistics: self.stats.map(|text| Arc::new(Statistics::new(text))),
        };
        (file, self.data_change)
    }
}
