//! One version of a table: what it holds, and the offsets that its rows came from.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use delta_kernel::SnapshotRef;
use delta_kernel_default_engine::DefaultEngine;
use delta_kernel_default_engine::executor::tokio::TokioMultiThreadExecutor;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::sync::OnceCell;

use super::changes::Changes;
use super::error::LakeError;
use super::files::{self, DataFile};
use super::log;
use super::table::path_of;
use super::tables::TableName;
use crate::time::Timestamp;

/// The kernel's engine, over the lake's store and the process's runtime.
pub(super) type Engine = DefaultEngine<TokioMultiThreadExecutor>;

/// A list of files follows from an earlier one by reading at most so many log entries.
const VERSIONS_READ_MAX: u64 = 64;

/// One version of a table. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Snapshot(Arc<State>);

#[derive(Debug)]
struct State {
    table: TableName,
    store: Arc<dyn ObjectStore>,
    kernel: SnapshotRef,
    engine: Arc<Engine>,
    /// In microseconds.
    taken_at: AtomicI64,
    /// The files of an earlier version, from which these files follow by reading the log between.
    base: Option<Base>,
    /// Transactions that were read already, or were committed with this version.
    offsets: Mutex<HashMap<String, Option<i64>>>,
    files: OnceCell<Arc<[DataFile]>>,
}

/// The files of an earlier version.
#[derive(Debug, Clone)]
struct Base {
    version: u64,
    files: Arc<[DataFile]>,
}

impl Snapshot {
    /// A snapshot as read at that time.
    pub(super) fn new(
        table: TableName,
        store: Arc<dyn ObjectStore>,
        kernel: SnapshotRef,
        engine: Arc<Engine>,
        taken_at: Timestamp,
    ) -> Self {
        let (offsets, files) = (Mutex::default(), OnceCell::new());
        let taken_at = AtomicI64::new(taken_at.micros());
        Self(Arc::new(State { table, store, kernel, engine, taken_at, base: None, offsets, files }))
    }

    /// A later version of the same table, as read at that time.
    pub(super) fn later(&self, kernel: SnapshotRef, taken_at: Timestamp) -> Self {
        let state = &self.0;
        let listed = state.files.get().cloned();
        let listed = listed.map(|files| Base { version: self.version(), files });
        Self(Arc::new(State {
            table: state.table,
            store: Arc::clone(&state.store),
            kernel,
            engine: Arc::clone(&state.engine),
            taken_at: AtomicI64::new(taken_at.micros()),
            base: listed.or_else(|| state.base.clone()),
            offsets: Mutex::default(),
            files: OnceCell::new(),
        }))
    }

    /// The version that a commit on this one left: the transactions that were read here hold there
    /// too, but for the commit's own.
    pub(super) fn followed_by<'a>(
        &self,
        kernel: SnapshotRef,
        transactions: impl Iterator<Item = &'a (String, i64)>,
        taken_at: Timestamp,
    ) -> Self {
        let next = self.later(kernel, taken_at);
        let mut offsets = self.known_offsets().clone();
        offsets.extend(transactions.map(|(app, next)| (app.clone(), Some(*next))));
        *next.known_offsets() = offsets;
        next
    }

    fn known_offsets(&self) -> std::sync::MutexGuard<'_, HashMap<String, Option<i64>>> {
        self.0.offsets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The version.
    pub fn version(&self) -> u64 {
        self.0.kernel.version()
    }

    /// The table.
    pub fn table(&self) -> TableName {
        self.0.table
    }

    /// When it was read, or known to be the newest.
    pub fn taken_at(&self) -> Timestamp {
        let micros = self.0.taken_at.load(Ordering::Relaxed);
        Timestamp::from_micros(micros).unwrap_or(Timestamp::EPOCH)
    }

    /// It was still the newest version at that time.
    pub(super) fn confirm(&self, at: Timestamp) {
        self.0.taken_at.store(at.micros(), Ordering::Relaxed);
    }

    /// Whether the version after this one is there; one request, where listing the log takes many.
    ///
    /// # Errors
    /// [`LakeError::Retryable`] when the store does not say.
    pub(super) async fn is_followed(&self) -> Result<bool, LakeError> {
        let root = path_of(self.0.kernel.table_root())?;
        match self.0.store.head(&log::entry(&root, self.version() + 1)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => {
                let what = format!("looking for a new version of `{}`", self.0.table.name());
                Err(LakeError::from_store(what, error))
            }
        }
    }

    pub(super) fn kernel(&self) -> &SnapshotRef {
        &self.0.kernel
    }

    /// The version that the last commit of this application carried: for a source partition, the
    /// next offset to read.
    ///
    /// # Errors
    /// [`LakeError::Retryable`] when the log cannot be read.
    pub async fn next_offset(&self, app_id: &str) -> Result<Option<i64>, LakeError> {
        if let Some(known) = self.known_offsets().get(app_id) {
            return Ok(*known);
        }
        let (state, app) = (Arc::clone(&self.0), app_id.to_owned());
        let read = move || state.kernel.get_app_id_version(&app, state.engine.as_ref());
        let what = || format!("reading transaction `{app_id}` of `{}`", self.0.table.name());
        let offset = blocking(what(), read).await?;
        let offset = offset.map_err(|error| LakeError::from_kernel(what(), error))?;
        self.known_offsets().insert(app_id.to_owned(), offset);
        Ok(offset)
    }

    /// The data files of this version.
    ///
    /// # Errors
    /// [`LakeError::Retryable`] when the log cannot be read.
    pub async fn files(&self) -> Result<Arc<[DataFile]>, LakeError> {
        self.0.files.get_or_try_init(|| self.list()).await.cloned()
    }

    async fn list(&self) -> Result<Arc<[DataFile]>, LakeError> {
        let state = Arc::clone(&self.0);
        let what = format!("listing the files of `{}`", state.table.name());
        if let Some(files) = self.files_after_base(&what).await? {
            return Ok(files);
        }
        let list = move || files::list(&state.kernel, state.engine.as_ref());
        let listed = blocking(what.clone(), list).await?;
        Ok(listed.map_err(|error| LakeError::from_kernel(what, error))?.into())
    }

    /// The files by what changed since an earlier version, where that is a short way.
    async fn files_after_base(&self, what: &str) -> Result<Option<Arc<[DataFile]>>, LakeError> {
        let Some(base) = &self.0.base else { return Ok(None) };
        if self.version().saturating_sub(base.version) > VERSIONS_READ_MAX {
            return Ok(None);
        }
        let root = path_of(self.0.kernel.table_root())?;
        let changes = Changes::between(&self.0.store, &root, base.version, self.version()).await;
        let changes = changes.map_err(|error| LakeError::from_store(what, error))?;
        Ok(changes.map(|changes| Changes::apply(&base.files, changes).into()))
    }
}

/// Runs work of the kernel, which blocks, where it may block.
pub(super) async fn blocking<T: Send + 'static>(
    what: String,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, LakeError> {
    let joined = tokio::task::spawn_blocking(work).await;
    joined.map_err(|error| LakeError::internal(what, error))
}
