//! The log's own files: a torn entry is named before anything is read past it.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{Error, ObjectMeta, ObjectStore, ObjectStoreExt, Result as StoreResult};

use super::error::LakeError;

/// The directory of the log, below a table's root.
pub(super) const LOG: &str = "_delta_log";
/// How many entries are read at a time.
const READ_AT_ONCE: usize = 32;

/// A version's entry in the log of the table below `root`.
pub(super) fn entry(root: &Path, version: u64) -> Path {
    root.clone().join(LOG).join(format!("{version:020}.json"))
}

/// What lies in a table's log.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Entries by version, ascending.
    pub(super) entries: Vec<(u64, ObjectMeta)>,
    /// Checkpoints by version, ascending; one may be several files.
    pub(super) checkpoints: Vec<(u64, ObjectMeta)>,
}

impl Log {
    /// Lists the whole log of the table below `root`.
    pub(super) async fn list(store: &Arc<dyn ObjectStore>, root: &Path) -> Result<Self, LakeError> {
        let log = root.clone().join(LOG);
        Self::collect(store.list(Some(&log)), root).await
    }

    /// Lists what a reader needs: from the newest checkpoint on, where a hint names it.
    pub(super) async fn list_newest(
        store: &Arc<dyn ObjectStore>,
        root: &Path,
    ) -> Result<Self, LakeError> {
        let log = root.clone().join(LOG);
        // A hint that cannot be read is no hint.
        let Some(version) = hint(store, &log).await.ok().flatten() else {
            return Self::list(store, root).await;
        };
        // Names of one version follow its number, so that those of the checkpoint itself are
        // listed.
        let before = log.clone().join(format!("{version:020}"));
        Self::collect(store.list_with_offset(Some(&log), &before), root).await
    }

    async fn collect(
        listing: BoxStream<'_, StoreResult<ObjectMeta>>,
        root: &Path,
    ) -> Result<Self, LakeError> {
        let what = || format!("listing the log of `{root}`");
        let listed = listing.try_collect::<Vec<_>>().await;
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

    /// Refuses a log with a torn newest checkpoint, or an empty or unreadable entry after it: such
    /// an entry is read as no rows at all, and its rows would be missing without an error.
    pub(super) async fn check(
        &self,
        store: &Arc<dyn ObjectStore>,
        table: &str,
    ) -> Result<(), LakeError> {
        let since = self.newest_checkpoint();
        for (_, meta) in self.checkpoints.iter().filter(|(version, _)| Some(*version) == since) {
            check_checkpoint(store, meta, table).await?;
        }
        let entries = self.entries.iter().filter(|(version, _)| Some(*version) > since);
        let checks: Vec<_> = entries.map(|(_, meta)| check_entry(store, meta, table)).collect();
        futures::stream::iter(checks).buffered(READ_AT_ONCE).try_collect::<()>().await
    }
}

/// The version that `_last_checkpoint` names; `None` where there was no checkpoint yet.
pub(super) async fn hint(store: &Arc<dyn ObjectStore>, log: &Path) -> StoreResult<Option<u64>> {
    #[derive(serde::Deserialize)]
    struct Hint {
        version: u64,
    }
    let found = match store.get(&log.clone().join("_last_checkpoint")).await {
        Err(Error::NotFound { .. }) => return Ok(None),
        found => found?,
    };
    let hint = serde_json::from_slice::<Hint>(&found.bytes().await?);
    let unread = |why| Error::Generic { store: "log", source: Box::new(why) };
    hint.map(|hint| Some(hint.version)).map_err(unread)
}

/// What a Parquet file ends with.
const PARQUET_END: &[u8] = b"PAR1";

async fn check_checkpoint(
    store: &Arc<dyn ObjectStore>,
    meta: &ObjectMeta,
    table: &str,
) -> Result<(), LakeError> {
    if meta.location.extension() != Some("parquet") {
        return Ok(());
    }
    let end = meta.size.checked_sub(PARQUET_END.len() as u64);
    let last = match end {
        Some(end) => store.get_range(&meta.location, end..meta.size).await,
        None => Ok(Bytes::new()),
    };
    let what = || format!("reading checkpoint `{}`", meta.location);
    if last.map_err(|error| LakeError::from_store(what(), error))? == PARQUET_END {
        return Ok(());
    }
    let why = "the checkpoint is torn: it does not end as a Parquet file does".to_owned();
    Err(LakeError::Damaged { table: table.to_owned(), file: meta.location.to_string(), why })
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
