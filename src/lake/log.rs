//! The log's own files: a torn entry is named before anything is read past it.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use super::error::LakeError;

/// The directory of the log, below a table's root.
pub(super) const LOG: &str = "_delta_log";
/// How many entries are read at a time.
const READ_AT_ONCE: usize = 32;

/// What lies in a table's log.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Entries by version, ascending.
    pub(super) entries: Vec<(u64, ObjectMeta)>,
    /// Checkpoints by version, ascending; one may be several files.
    pub(super) checkpoints: Vec<(u64, ObjectMeta)>,
}

impl Log {
    /// Lists the log of the table below `root`.
    pub(super) async fn list(store: &Arc<dyn ObjectStore>, root: &Path) -> Result<Self, LakeError> {
        let what = || format!("listing the log of `{root}`");
        let listed = store.list(Some(&root.clone().join(LOG))).try_collect::<Vec<_>>().await;
        let mut log = Self::default();
        for meta in listed.map_err(|error| LakeError::from_store(what(), error))? {
            let name = meta.location.filename().unwrap_or_default().to_owned();
            let Some((version, rest)) = name.split_once('.') else { continue };
            let Ok(version) = version.parse::<u64>() else { continue };
            match rest {
                "json" => log.entries.push((version, meta)),
                rest if rest.starts_with("checkpoint") => log.checkpoints.push((version, meta)),
                _ => {}
            }
        }
        log.entries.sort_by_key(|(version, _)| *version);
        log.checkpoints.sort_by_key(|(version, _)| *version);
        Ok(log)
    }

    /// Whether there is a table at all.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.checkpoints.is_empty()
    }

    /// The version of the newest checkpoint.
    pub(super) fn newest_checkpoint(&self) -> Option<u64> {
        self.checkpoints.last().map(|(version, _)| *version)
    }

    /// Refuses a log with an empty or unreadable entry after the newest checkpoint: such an entry is
    /// read as no rows at all, and its rows would be missing without an error.
    pub(super) async fn check(
        &self,
        store: &Arc<dyn ObjectStore>,
        table: &str,
    ) -> Result<(), LakeError> {
        let since = self.newest_checkpoint();
        let entries = self.entries.iter().filter(|(version, _)| Some(*version) > since);
        let checks = entries.map(|(_, meta)| check_entry(store, meta, table));
        futures::stream::iter(checks).buffered(READ_AT_ONCE).try_collect::<()>().await
    }
}

async fn check_entry(
    store: &Arc<dyn ObjectStore>,
    meta: &ObjectMeta,
    table: &str,
) -> Result<(), LakeError> {
    let damaged = |why: String| LakeError::Damaged {
        table: table.to_owned(),
        file: meta.location.to_string(),
        why,
    };
    if meta.size == 0 {
        return Err(damaged("the log entry is empty".to_owned()));
    }
    let read = async { store.get(&meta.location).await?.bytes().await };
    let what = || format!("reading log entry `{}`", meta.location);
    let bytes = read.await.map_err(|error| LakeError::from_store(what(), error))?;
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(line) {
            return Err(damaged(format!("line {} is not JSON: {error}", number + 1)));
        }
    }
    Ok(())
}
