//! A local object store whose writes are durable when they answer.
//!
//! `object_store` writes files without an fsync, so a power loss can leave the last log entry
//! empty. Here a file is written beside its place and fsynced, then put in its place in one step,
//! then the directory is fsynced. No reader ever sees half a file. After an fsync that failed for
//! another reason than a full disk, every further write is refused: the kernel may have dropped the
//! pages.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    Result, UploadPart,
};

use super::config::Durability;
use crate::crash;

/// Why nothing more is written: what the failed fsync said.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refused(String);

/// The local store of a lake.
#[derive(Debug, Clone)]
pub(super) struct DurableStore {
    inner: Arc<LocalFileSystem>,
    disk: Arc<Disk>,
}

/// Makes a file or directory durable. A test may have a disk that keeps nothing else.
type Fsync = dyn Fn(&File, &FilePath) -> io::Result<()> + Send + Sync;

/// What all writers of one store share.
struct Disk {
    durability: Durability,
    fsync: Box<Fsync>,
    refused: OnceLock<Refused>,
    /// How many files and directories were fsynced.
    syncs: AtomicU64,
    /// Makes the names of files that are being written unique.
    staged: AtomicU64,
}

impl DurableStore {
    /// A store over the whole file system, as file URLs name it.
    pub(super) fn new(durability: Durability) -> Self {
        Self::fsyncing(durability, |file, _| file.sync_all())
    }

    /// The same, with a way of its own to make files and directories durable.
    pub(super) fn fsyncing(
        durability: Durability,
        fsync: impl Fn(&File, &FilePath) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let disk = Disk {
            durability,
            fsync: Box::new(fsync),
            refused: OnceLock::new(),
            syncs: AtomicU64::new(0),
            staged: AtomicU64::new(0),
        };
        Self { inner: Arc::new(LocalFileSystem::new()), disk: Arc::new(disk) }
    }

    /// How many files and directories were fsynced so far.
    #[cfg(test)]
    pub(super) fn syncs(&self) -> u64 {
        self.disk.syncs.load(Ordering::Relaxed)
    }

    /// As if an fsync had failed.
    #[cfg(test)]
    pub(super) fn refuse(&self) {
        self.disk.refuse(FilePath::new("disk"), &io::Error::other("input/output error"));
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("durability", &self.durability).finish_non_exhaustive()
    }
}

impl Disk {
    fn check(&self) -> Result<()> {
        match self.refused.get() {
            Some(refused) => Err(failure(refused.clone())),
            None => Ok(()),
        }
    }

    /// Writes a file beside its place, then puts it there.
    fn publish(&self, place: &FilePath, payload: &PutPayload, mode: &PutMode) -> Result<()> {
        self.check()?;
        let (staged, mut file) = self.stage(place).map_err(failure)?;
        crash::point_in("file.made", kind(place));
        let written = payload.iter().try_for_each(|bytes| file.write_all(bytes)).map_err(failure);
        crash::point_in("file.written", kind(place));
        let written = written.and_then(|()| self.sync(&file, place));
        crash::point_in("file.synced", kind(place));
        drop(file);
        let put = written.and_then(|()| match mode {
            PutMode::Create => link(&staged, place),
            _ => fs::rename(&staged, place).map_err(failure),
        });
        crash::point_in("file.placed", kind(place));
        if put.is_err() || *mode == PutMode::Create {
            // The file has its second name, or was given up; one left behind is never listed.
            let _ = fs::remove_file(&staged);
        }
        crash::point_in("file.unstaged", kind(place));
        // From here on the file can be seen, so that its failure must not look like "not written".
        put.and_then(|()| self.sync_parent(place).map_err(|error| self.refuse(place, &error)))
    }

    fn stage(&self, place: &FilePath) -> io::Result<(PathBuf, File)> {
        loop {
            let number = self.staged.fetch_add(1, Ordering::Relaxed);
            let mut staged = place.as_os_str().to_owned();
            // `object_store` leaves names out of listings that end with `#` and digits.
            staged.push(format!("#{}{number}", std::process::id()));
            let staged = PathBuf::from(staged);
            match OpenOptions::new().write(true).create_new(true).open(&staged) {
                Ok(file) => return Ok((staged, file)),
                Err(error) if error.kind() == ErrorKind::NotFound => self.make_parent(place)?,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Creates the directory of a file, and makes each new directory's own entry durable.
    fn make_parent(&self, place: &FilePath) -> io::Result<()> {
        let Some(parent) = place.parent() else { return Ok(()) };
        let missing = parent.ancestors().take_while(|dir| !dir.exists()).count();
        fs::create_dir_all(parent)?;
        for made in parent.ancestors().take(missing) {
            self.sync_parent(made).map_err(io::Error::other)?;
        }
        Ok(())
    }

    fn sync_parent(&self, path: &FilePath) -> Result<()> {
        let Some(parent) = path.parent().filter(|_| self.durability == Durability::Fsync) else {
            return Ok(());
        };
        self.sync(&File::open(parent).map_err(failure)?, parent)
    }

    fn sync(&self, file: &File, path: &FilePath) -> Result<()> {
        if self.durability == Durability::Os {
            return Ok(());
        }
        self.syncs.fetch_add(1, Ordering::Relaxed);
        (self.fsync)(file, path).map_err(|error| match error.kind() {
            ErrorKind::StorageFull => failure(error),
            _ => self.refuse(path, &error),
        })
    }

    /// Refuses every write from now on; the first reason is kept.
    fn refuse(&self, path: &FilePath, error: &dyn std::error::Error) -> Error {
        let refused = Refused(format!("`{}`: {error}", path.display()));
        failure(self.refused.get_or_init(|| refused).clone())
    }
}

/// What a file is, by its name: crash points tell them apart.
fn kind(place: &FilePath) -> &'static str {
    match place.extension().and_then(|extension| extension.to_str()) {
        Some("json") => "log_entry",
        Some("parquet") if !place.to_string_lossy().contains("checkpoint") => "rows",
        _ => "checkpoint",
    }
}

fn link(staged: &FilePath, place: &FilePath) -> Result<()> {
    fs::hard_link(staged, place).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Error::AlreadyExists { path: place.display().to_string(), source: Box::new(error) }
        }
        _ => failure(error),
    })
}

fn failure(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Generic { store: "local lake", source: Box::new(source) }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(failure)?
}

impl fmt::Display for DurableStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?})", self.inner, self.disk.durability)
    }
}

#[async_trait]
impl ObjectStore for DurableStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        let place = self.inner.path_to_filesystem(location)?;
        let disk = Arc::clone(&self.disk);
        blocking(move || disk.publish(&place, &payload, &opts.mode)).await?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.disk.check()?;
        let place = self.inner.path_to_filesystem(location)?;
        let inner = self.inner.put_multipart_opts(location, opts).await?;
        Ok(Box::new(DurableUpload { inner, place, disk: Arc::clone(&self.disk) }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.disk.check()?;
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.disk.check()?;
        self.inner.rename_opts(from, to, options).await
    }
}

/// A file written in parts: checkpoints are.
#[derive(Debug)]
struct DurableUpload {
    inner: Box<dyn MultipartUpload>,
    place: PathBuf,
    disk: Arc<Disk>,
}

#[async_trait]
impl MultipartUpload for DurableUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.inner.put_part(data)
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let result = self.inner.complete().await?;
        crash::point_in("file.completed", kind(&self.place));
        let (place, disk) = (self.place.clone(), Arc::clone(&self.disk));
        blocking(move || {
            disk.sync(&File::open(&place).map_err(failure)?, &place)?;
            disk.sync_parent(&place)
        })
        .await?;
        Ok(result)
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}
