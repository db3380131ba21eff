//! Checkpoints: the log summed up, so that opening stays fast; and old log entries deleted.

use object_store::{ObjectMeta, ObjectStoreExt};

use crate::crash;
use crate::lake::error::LakeError;
use crate::lake::log::Log;
use crate::lake::snapshot::blocking;
use crate::lake::table::{Table, path_of};
use crate::time::Timestamp;

/// How long log entries are kept below a checkpoint.
const LOG_KEPT_SECONDS: i64 = 2 * 86_400;

/// Writes a checkpoint when `every` versions have passed since the last one.
pub(super) async fn checkpoint(table: &Table, every: u64) -> Result<Option<u64>, LakeError> {
    let snapshot = table.refresh().await?;
    let last = snapshot.kernel().log_segment().checkpoint_version.unwrap_or_default();
    if snapshot.version().saturating_sub(last) < every.max(1) {
        return Ok(None);
    }
    crash::point("checkpoint.begun");
    let taken_at = table.now();
    let what = || format!("writing a checkpoint of `{}`", table.name().name());
    let (kernel, engine) = (snapshot.kernel().clone(), table.engine().clone());
    let written = blocking(what(), move || kernel.checkpoint(engine.as_ref(), None)).await?;
    let (_, kernel) = written.map_err(|error| LakeError::from_kernel(what(), error))?;
    crash::point("checkpoint.written");
    let newest = table.install(snapshot.later(kernel, taken_at));
    if newest.version() > snapshot.version() {
        // Commits meanwhile were made on versions that do not know of the checkpoint.
        table.read_after(&newest, false).await?;
    }
    Ok(Some(snapshot.version()))
}

/// Deletes log entries and checkpoints that are two days old and below a checkpoint which is too:
/// two days older than the newest, by the clock of the store. This machine's may be wrong, and who
/// commits below a checkpoint without seeing it commits in vain.
pub(super) async fn clean_log(table: &Table) -> Result<usize, LakeError> {
    let (store, root) = (table.object_store(), path_of(table.root())?);
    let what = || format!("cleaning the log of `{}`", table.name().name());
    let log = Log::list(&store, &root).await?;
    let at = |meta: &ObjectMeta| Timestamp::from_millis(meta.last_modified.timestamp_millis());
    let newest = log.entries.iter().chain(&log.checkpoints).filter_map(|(_, meta)| at(meta)).max();
    let Some(newest) = newest else { return Ok(0) };
    let oldest = newest.min(table.now()).plus_seconds(-LOG_KEPT_SECONDS);
    let is_old = |meta: &ObjectMeta| at(meta).is_some_and(|at| at < oldest);
    let kept_from =
        log.checkpoints.iter().filter(|(_, meta)| is_old(meta)).map(|(version, _)| *version).max();
    let Some(kept_from) = kept_from else { return Ok(0) };
    let all = log.entries.iter().chain(&log.checkpoints);
    let expired = all.filter(|(version, meta)| *version < kept_from && is_old(meta));
    crash::point("log.listed");
    let mut deleted = 0;
    for (_, meta) in expired {
        let gone = store.delete(&meta.location).await;
        gone.map_err(|error| LakeError::from_store(what(), error))?;
        crash::point("log.deleted");
        deleted += 1;
    }
    Ok(deleted)
}
