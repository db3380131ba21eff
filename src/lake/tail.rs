//! The end of a log in a directory, found by asking for one version after the other.
//!
//! A directory has no order: to list what follows a version, each of its names is read, and a log
//! keeps those of two days. Versions have no gaps, so that the next one is known by its name.

use std::fmt;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path as FilePath;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};

use super::log::{self, LOG};

/// Where more follow, they are listed.
const VERSIONS_MAX: u64 = 1_024;

/// A store of files that lists the end of a log this way, and is otherwise the store below it.
#[derive(Debug, Clone)]
pub(super) struct Tail {
    below: Arc<dyn ObjectStore>,
    files: Arc<LocalFileSystem>,
}

impl Tail {
    /// Over a store whose paths are those of file URLs.
    pub(super) fn over(below: Arc<dyn ObjectStore>) -> Self {
        Self { below, files: Arc::new(LocalFileSystem::new()) }
    }

    /// The entries and checkpoints of a log from a version on. `None` where names do not tell: the
    /// log does not begin there, or does not end where one is missing.
    async fn from(&self, log: &Path, first: u64) -> Option<Vec<ObjectMeta>> {
        let (files, folder) = (Arc::clone(&self.files), log.clone());
        let walk = move || walk(&files, &folder, first);
        let found = tokio::task::spawn_blocking(walk).await.ok()??;
        // Entries that are being cleaned away end the walk, too: then there is a checkpoint of a
        // later version. Whoever begins after a version has read a checkpoint of it.
        let checkpoint = log::hint(&self.below, log).await.ok()?;
        let is_whole = match checkpoint {
            Some(version) => version + 1 >= first && version <= found.last,
            None => first <= 1,
        };
        is_whole.then_some(found.files)
    }
}

/// What a walk found, and the last version.
struct Found {
    files: Vec<ObjectMeta>,
    last: u64,
}

fn walk(store: &LocalFileSystem, log: &Path, first: u64) -> Option<Found> {
    let folder = store.path_to_filesystem(log).ok()?;
    let mut files = Vec::new();
    for version in first..first.checked_add(VERSIONS_MAX)? {
        let Some(entry) = look(log, &folder, &format!("{version:020}.json")).ok()? else {
            let last = version.checked_sub(1).filter(|last| *last >= first)?;
            return Some(Found { files, last });
        };
        let checkpoint = look(log, &folder, &format!("{version:020}.checkpoint.parquet")).ok()?;
        files.extend([entry].into_iter().chain(checkpoint));
    }
    None
}

/// A file of the log; `None` where there is none.
fn look(log: &Path, folder: &FilePath, name: &str) -> std::io::Result<Option<ObjectMeta>> {
    let about = match std::fs::metadata(folder.join(name)) {
        Ok(about) => about,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Some(ObjectMeta {
        location: log.clone().join(name),
        last_modified: about.modified()?.into(),
        size: about.len(),
        e_tag: None,
        version: None,
    }))
}

/// The version that a listing of a log begins with: what it comes after is a version's number.
fn first_version(log: &Path, after: &Path) -> Option<u64> {
    let number = after.filename().filter(|name| name.len() == 20)?;
    (log.filename() == Some(LOG)).then(|| number.parse().ok()).flatten()
}

impl fmt::Display for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.below)
    }
}

#[async_trait]
impl ObjectStore for Tail {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        self.below.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.below.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.below.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.below.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.below.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.below.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let first = prefix.and_then(|log| Some((log.clone(), first_version(log, offset)?)));
        let Some((log, first)) = first else {
            return self.below.list_with_offset(prefix, offset);
        };
        let (own, offset) = (self.clone(), offset.clone());
        let listed = async move {
            Ok::<_, Error>(match own.from(&log, first).await {
                Some(files) => stream::iter(files).map(Ok).boxed(),
                None => own.below.list_with_offset(Some(&log), &offset),
            })
        };
        stream::once(listed).try_flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.below.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.below.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.below.rename_opts(from, to, options).await
    }
}
