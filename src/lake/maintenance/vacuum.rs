//! Files that no version names are deleted, long after the last query could read them.

use std::collections::{HashMap, HashSet};

use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;

use crate::crash;
use crate::lake::error::LakeError;
use crate::lake::log::LOG;
use crate::lake::snapshot::blocking;
use crate::lake::table::{Table, path_of};
use crate::time::Timestamp;

/// Since when each file is known to be unnamed. A file is deleted only when it was unnamed for the
/// whole time that files are kept, as seen by this process: when it was written says nothing about
/// when a merge replaced it.
#[derive(Debug, Default)]
pub(super) struct Unnamed(HashMap<Path, Timestamp>);

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
        let snapshot = table.refresh().await?;
        let files = snapshot.files().await?;
        let named: Result<HashSet<Path>, LakeError> =
            files.iter().map(|file| table.location(file)).collect();
        let (named, log) = (named?, root.join(LOG));
        let data = listed.into_iter().map(|meta| meta.location);
        let data =
            data.filter(|path| !path.prefix_matches(&log) && path.as_ref().ends_with(".parquet"));
        let unnamed: HashSet<Path> = data.filter(|path| !named.contains(path)).collect();
        self.0.retain(|path, _| unnamed.contains(path));
        unnamed.into_iter().for_each(|path| {
            self.0.entry(path).or_insert(now);
        });
        let expired: Vec<Path> = self
            .0
            .iter()
            .filter(|(_, since)| now.micros_since(**since) >= kept_micros)
            .map(|(path, _)| path.clone())
            .collect();
        for path in &expired {
            let gone = store.delete(path).await;
            gone.map_err(|error| LakeError::from_store(what(), error))?;
            crash::point("vacuum.deleted");
            self.0.remove(path);
        }
        Ok(expired.len())
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
        let entry = entry?;
        let meta = entry.metadata()?;
        if meta.is_dir() {
            swept += sweep_directory(&entry.path(), oldest)?;
        } else if is_staged(&entry.file_name()) && modified_at(&meta)? < oldest.micros() {
            std::fs::remove_file(entry.path())?;
            crash::point("sweep.deleted");
            swept += 1;
        }
    }
    Ok(swept)
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
