//! Files that no version names are deleted, long after the last query could read them.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;

use crate::crash;
use crate::lake::commit::{Commit, Outcome};
use crate::lake::error::LakeError;
use crate::lake::log::LOG;
use crate::lake::snapshot::{Snapshot, blocking};
use crate::lake::stage::StagedFile;
use crate::lake::table::{Table, path_of};
use crate::time::Timestamp;

/// The application id of the mark: a version of the table. A file whose writing began before it may
/// be gone, and no commit names it any more.
const MARK: &str = "maintenance/vacuum";

/// What is known of each unnamed file. A file is deleted only when it was unnamed for the whole
/// time that files are kept, as seen by this process: when it was written says nothing about when a
/// merge replaced it.
///
/// A writer may be slower than that, and commit at the very moment of the deletion. So a vacuum
/// commits a mark first. Versions are in one order: a commit before the mark is seen by who reads
/// the mark's version, and a commit after it is built on a version that has the mark.
#[derive(Debug, Default)]
pub(super) struct Unnamed(HashMap<Path, Known>);

/// One unnamed file.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// When it was seen first.
    since: Timestamp,
    /// A version that the table had not left before it was seen: its writing began on that one or
    /// an earlier one. Known for sure only by a commit of our own, for a listing may be behind.
    seen_on: Option<u64>,
}

impl Unnamed {
    /// Deletes what was unnamed for `kept_micros`; returns how many files.
    pub(super) async fn vacuum(
        &mut self,
        table: &Table,
        kept_micros: i64,
    ) -> Result<usize, LakeError> {
        let what = || format!("vacuuming `{}`", table.name().name());
        let (store, root) = (table.object_store(), path_of(table.root())?);
        let now = table.now();
        let listed: Vec<_> = store
            .list(Some(&root))
            .try_collect()
            .await
            .map_err(|error| LakeError::from_store(what(), error))?;
        crash::point("vacuum.listed");
        // Listed first: a file that is committed meanwhile is named by the snapshot.
        let named = named(table, &table.refresh().await?).await?;
        let log = root.join(LOG);
        let data = listed.into_iter().map(|meta| meta.location);
        let data =
            data.filter(|path| !path.prefix_matches(&log) && path.as_ref().ends_with(".parquet"));
        let unnamed: HashSet<Path> = data.filter(|path| !named.contains(path)).collect();
        self.0.retain(|path, _| unnamed.contains(path));
        unnamed.into_iter().for_each(|path| {
            self.0.entry(path).or_insert(Known { since: now, seen_on: None });
        });
        let is_over = |known: &Known| now.micros_since(known.since) >= kept_micros;
        let over = self.0.values().filter(|known| is_over(known)).filter_map(|known| known.seen_on);
        let horizon = over.max();
        if horizon.is_none() && self.0.values().all(|known| known.seen_on.is_some()) {
            return Ok(0);
        }
        let on = mark(table, horizon).await?;
        crash::point("vacuum.marked");
        let expired = horizon.map_or_else(Vec::new, |horizon| {
            let expired = self.0.iter().filter(|(_, known)| {
                is_over(known) && known.seen_on.is_some_and(|seen_on| seen_on <= horizon)
            });
            expired.map(|(path, _)| path.clone()).collect()
        });
        // All that is known was listed before the mark's version was there.
        for known in self.0.values_mut() {
            known.seen_on.get_or_insert(on.version().saturating_sub(1));
        }
        if expired.is_empty() {
            return Ok(0);
        }
        self.delete(table, &on, expired).await
    }

    /// Deletes files that the mark's version does not name.
    async fn delete(
        &mut self,
        table: &Table,
        on: &Snapshot,
        expired: Vec<Path>,
    ) -> Result<usize, LakeError> {
        let what = || format!("vacuuming `{}`", table.name().name());
        let (store, named) = (table.object_store(), named(table, on).await?);
        let mut deleted = 0;
        for path in expired {
            self.0.remove(&path);
            if named.contains(&path) {
                continue;
            }
            match store.delete(&path).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => deleted += 1,
                Err(error) => return Err(LakeError::from_store(what(), error)),
            }
            crash::point("vacuum.deleted");
        }
        Ok(deleted)
    }
}

/// The data files that a version names.
async fn named(table: &Table, on: &Snapshot) -> Result<HashSet<Path>, LakeError> {
    let files = on.files().await?;
    files.iter().map(|file| table.location(file)).collect::<Result<_, _>>()
}

/// Commits the mark, and gives its version. It never goes back.
async fn mark(table: &Table, horizon: Option<u64>) -> Result<Snapshot, LakeError> {
    let mut on = table.refresh().await?;
    loop {
        let after = |version: u64| i64::try_from(version).unwrap_or(i64::MAX).saturating_add(1);
        let wanted = horizon.map_or(0, after);
        let stored = on.next_offset(MARK).await?.unwrap_or_default();
        let mut commit = Commit::append(Vec::new(), Vec::new());
        commit.marks.push((MARK.to_owned(), wanted.max(stored)));
        match table.commit(&on, &commit).await? {
            Outcome::Committed(version) => return Ok(version),
            Outcome::Conflicted { .. } | Outcome::Superseded { .. } => {}
        }
        let millis = rand::random_range(1..20);
        tokio::time::sleep(Duration::from_millis(millis)).await;
        // After the wait, not before it: others have committed meanwhile.
        on = table.refresh().await?;
    }
}

/// Admits files to a commit on a version, unless a vacuum may have taken them.
///
/// # Errors
/// [`LakeError::Retryable`]: they must be written again.
pub(in crate::lake) async fn admit(on: &Snapshot, files: &[StagedFile]) -> Result<(), LakeError> {
    if files.is_empty() {
        return Ok(());
    }
    let Some(mark) = on.next_offset(MARK).await?.and_then(|mark| u64::try_from(mark).ok()) else {
        return Ok(());
    };
    match files.iter().find(|file| file.begun_on < mark) {
        None => Ok(()),
        Some(file) => Err(LakeError::Retryable {
            what: format!("committing `{}`", file.path),
            why: format!(
                "it was begun on version {}, and what was begun before version {mark} is vacuumed: \
                 it must be written again",
                file.begun_on
            ),
        }),
    }
}

/// Deletes what writers of a local table left half-written when they were killed: nothing lists it.
/// Returns how many files.
pub(super) async fn sweep(table: &Table, kept_micros: i64) -> Result<usize, LakeError> {
    let Ok(root) = table.root().to_file_path() else { return Ok(0) };
    let oldest = table.now().plus_micros(-kept_micros);
    let what = format!("sweeping `{}`", table.name().name());
    let swept = blocking(what.clone(), move || sweep_directory(&root, oldest)).await?;
    swept.map_err(|error| LakeError::Retryable { what, why: error.to_string() })
}

fn sweep_directory(directory: &std::path::Path, oldest: Timestamp) -> std::io::Result<usize> {
    let mut swept = 0;
    for entry in std::fs::read_dir(directory)? {
        swept += match sweep_entry(&entry?, oldest) {
            // Its writer has put it into its place meanwhile, or deleted it.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            swept => swept?,
        };
    }
    Ok(swept)
}

fn sweep_entry(entry: &std::fs::DirEntry, oldest: Timestamp) -> std::io::Result<usize> {
    let meta = entry.metadata()?;
    if meta.is_dir() {
        return sweep_directory(&entry.path(), oldest);
    }
    if !is_staged(&entry.file_name()) || modified_at(&meta)? >= oldest.micros() {
        return Ok(0);
    }
    std::fs::remove_file(entry.path())?;
    crash::point("sweep.deleted");
    Ok(1)
}

/// Whether the store wrote it beside its place: the place's name, `#` and digits.
fn is_staged(name: &std::ffi::OsStr) -> bool {
    let number = name.to_str().and_then(|name| name.rsplit_once('#')).map(|(_, number)| number);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

fn modified_at(meta: &std::fs::Metadata) -> std::io::Result<i64> {
    let since = meta.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Ok(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
