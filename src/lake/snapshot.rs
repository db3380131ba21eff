//! One version of a table: what it holds, and the offsets that its rows came from.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use delta_kernel::{KernelResult, SnapshotRef};
use delta_kernel_default_engine::DefaultEngine;
use delta_kernel_default_engine::executor::tokio::TokioMultiThreadExecutor;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::sync::OnceCell;

use super::changes::Changes;
use super::error::{LakeError, is_gone};
use super::files::{self, DataFile};
use super::log;
use super::table::path_of;
use super::tables::TableName;
use crate::time::Timestamp;

/// The kernel's engine, over the lake's store and the process's runtime.
pub(super) type Engine = DefaultEngine<TokioMultiThreadExecutor>;

/// Files and transactions follow from earlier ones by reading at most so many log entries.
const VERSIONS_READ_MAX: u64 = 64;

/// How a version stands to the newest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is the newest one.
    Newest,
    /// There is a later one.
    Followed,
    /// Its entry was cleaned away, and those that follow may have been, too.
    Gone,
}

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
    /// Transactions as read at this version or an earlier one, or as committed with it.
    offsets: Mutex<HashMap<String, Offset>>,
    files: OnceCell<Arc<[DataFile]>>,
}

/// The files of an earlier version.
#[derive(Debug, Clone)]
struct Base {
    version: u64,
    files: Arc<[DataFile]>,
}

/// The transaction of an application, and the version that it is known of.
#[derive(Debug, Clone, Copy)]
struct Offset {
    version: u64,
    next: Option<i64>,
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
            offsets: Mutex::new(self.known_offsets().clone()),
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
        let followed = self.later(kernel, taken_at);
        let version = followed.version();
        let mut offsets = followed.known_offsets();
        offsets
            .values_mut()
            .filter(|known| known.version == self.version())
            .for_each(|known| known.version = version);
        let committed = transactions.map(|(app, next)| (app.clone(), Some(*next)));
        offsets.extend(committed.map(|(app, next)| (app, Offset { version, next })));
        drop(offsets);
        followed
    }

    fn known_offsets(&self) -> std::sync::MutexGuard<'_, HashMap<String, Offset>> {
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

    /// How this version stands to the newest one: by two requests at once, where listing the log
    /// takes many.
    ///
    /// # Errors
    /// [`LakeError::Retryable`] when the store does not say.
    pub(super) async fn standing(&self) -> Result<Standing, LakeError> {
        let root = path_of(self.0.kernel.table_root())?;
        let is_there =
            async |version: u64| match self.0.store.head(&log::entry(&root, version)).await {
                Ok(_) => Ok(true),
                Err(object_store::Error::NotFound { .. }) => Ok(false),
                Err(error) => {
                    let what = format!("looking for a new version of `{}`", self.0.table.name());
                    Err(LakeError::from_store(what, error))
                }
            };
        let (own, next) = (is_there(self.version()), is_there(self.version() + 1));
        Ok(match tokio::try_join!(own, next)? {
            (_, true) => Standing::Followed,
            (true, false) => Standing::Newest,
            (false, false) => Standing::Gone,
        })
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
        let what = || format!("reading transaction `{app_id}` of `{}`", self.0.table.name());
        let known = self.known_offsets().get(app_id).copied();
        let version = self.version();
        if let Some(known) = known {
            if known.version == version {
                return Ok(known.next);
            }
            if let Some(changes) = self.changes_since(known.version, &what()).await? {
                return Ok(self.follow(app_id, known, &changes));
            }
        }
        let app = app_id.to_owned();
        let read =
            move |kernel: &SnapshotRef, engine: &Engine| kernel.get_app_id_version(&app, engine);
        let next = self.read_log(what(), read).await?;
        self.known_offsets().insert(app_id.to_owned(), Offset { version, next });
        Ok(next)
    }

    /// The transaction by what changed since it was known, and so for all that were known then.
    fn follow(&self, app_id: &str, since: Offset, changes: &[Changes]) -> Option<i64> {
        let mut offsets = self.known_offsets();
        let committed: HashMap<&str, i64> = changes
            .iter()
            .flat_map(|change| &change.transactions)
            .map(|(app, next)| (app.as_str(), *next))
            .collect();
        for (app, known) in offsets.iter_mut().filter(|(_, of)| of.version == since.version) {
            let next = committed.get(app.as_str()).copied().or(known.next);
            *known = Offset { version: self.version(), next };
        }
        committed.get(app_id).copied().or(since.next)
    }

    /// The data files of this version.
    ///
    /// # Errors
    /// [`LakeError::Retryable`] when the log cannot be read.
    pub async fn files(&self) -> Result<Arc<[DataFile]>, LakeError> {
        self.0.files.get_or_try_init(|| self.list()).await.cloned()
    }

    async fn list(&self) -> Result<Arc<[DataFile]>, LakeError> {
        let what = format!("listing the files of `{}`", self.0.table.name());
        if let Some(files) = self.files_after_base(&what).await? {
            return Ok(files);
        }
        let list = |kernel: &SnapshotRef, engine: &Engine| files::list(kernel, engine);
        Ok(self.read_log(what, list).await?.into())
    }

    /// Reads the log of this version. What it was made of may have been summed up and cleaned away
    /// since then: it is read from the checkpoint.
    async fn read_log<T: Send + 'static>(
        &self,
        what: String,
        read: impl Fn(&SnapshotRef, &Engine) -> KernelResult<T> + Send + 'static,
    ) -> Result<T, LakeError> {
        let state = Arc::clone(&self.0);
        let read = move || {
            let (kernel, engine) = (&state.kernel, state.engine.as_ref());
            match read(kernel, engine) {
                Err(error) if is_gone(&error) => {
                    let root = kernel.table_root().clone();
                    let anew = delta_kernel::Snapshot::builder_for(root);
                    read(&anew.at_version(kernel.version()).build(engine)?, engine)
                }
                read => read,
            }
        };
        let done = blocking(what.clone(), read).await?;
        done.map_err(|error| LakeError::from_kernel(what, error))
    }

    /// The files by what changed since an earlier version, where that is a short way.
    async fn files_after_base(&self, what: &str) -> Result<Option<Arc<[DataFile]>>, LakeError> {
        let Some(base) = &self.0.base else { return Ok(None) };
        let changes = self.changes_since(base.version, what).await?;
        Ok(changes.map(|changes| Changes::apply(&base.files, changes).into()))
    }

    /// What each version since that one did, where that is a short way and the log is there.
    async fn changes_since(
        &self,
        version: u64,
        what: &str,
    ) -> Result<Option<Vec<Changes>>, LakeError> {
        if self.version().saturating_sub(version) > VERSIONS_READ_MAX {
            return Ok(None);
        }
        let root = path_of(self.0.kernel.table_root())?;
        let changes = Changes::between(&self.0.store, &root, version, self.version()).await;
        changes.map_err(|error| LakeError::from_store(what, error))
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
