//! A table: its newest known version, and how rows get into it.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use delta_kernel_default_engine::DefaultEngineBuilder;
use delta_kernel_default_engine::executor::tokio::TokioMultiThreadExecutor;
use object_store::ObjectStore;
use object_store::path::Path;
use tokio::time::Instant;
use url::Url;

use super::create;
use super::error::{LakeError, is_gone, is_hole};
use super::files::DataFile;
use super::location::Location;
use super::log::Log;
use super::metrics::TableMetrics;
use super::snapshot::{Engine, Snapshot, Standing, blocking};
use super::tables::{TableName, TableSpec};
use super::tail::Tail;
use crate::time::{Clock, Timestamp};

/// After a pause as long as this the table is opened anew: a version that was summed up and cleaned
/// away meanwhile must not be taken for one that is free.
const PAUSE_SECONDS_MAX: i64 = 3_600;

/// A listing made while others commit may miss an entry below one that it has: the log is read
/// again, after so many milliseconds each.
const READ_AGAIN_AFTER: [u64; 5] = [10, 40, 150, 500, 1_500];

/// Not again after so long: a store that cannot be reached has been asked often enough then.
const READ_AGAIN_WITHIN: Duration = Duration::from_secs(5);

/// A table of the lake. Cheap to clone; clones share what they know of the newest version.
#[derive(Debug, Clone)]
pub struct Table(Arc<State>);

#[derive(Debug)]
struct State {
    spec: TableSpec,
    root: Url,
    store: Arc<dyn ObjectStore>,
    engine: Arc<Engine>,
    /// Reads what follows a version; in a directory, without listing it.
    follower: Arc<Engine>,
    clock: Arc<dyn Clock>,
    metrics: TableMetrics,
    /// Why it must not be used, instead: the next refresh looks again.
    newest: RwLock<Result<Snapshot, LakeError>>,
}

impl Table {
    /// Opens a table; one that is not there is created, one of an older release gets its new
    /// columns.
    ///
    /// # Errors
    /// [`LakeError::Damaged`] when its log has a torn entry, [`LakeError::Unusable`] when its
    /// schema or a property forbids writing.
    pub(super) async fn open(
        spec: TableSpec,
        location: &Location,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LakeError> {
        let table = Self::open_or_keep(spec, location, clock).await?;
        table.snapshot()?;
        Ok(table)
    }

    /// Opens a table; one that must not be used is kept, and says why whenever it is asked.
    ///
    /// # Errors
    /// [`LakeError::Retryable`] when its log cannot be read.
    pub(super) async fn open_or_keep(
        spec: TableSpec,
        location: &Location,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LakeError> {
        let Location { root, store } = location.below(spec.name.name())?;
        let engine = Arc::new(engine(&store));
        let follower = follower(&root, &store).map_or_else(|| Arc::clone(&engine), Arc::new);
        let unread = LakeError::internal("opening a table", "it was not read yet");
        let newest = RwLock::new(Err(unread));
        let metrics = TableMetrics::new(spec.name)?;
        let state = State { spec, root, store, engine, follower, clock, metrics, newest };
        let table = Self(Arc::new(state));
        let (mut pauses, begun) = (READ_AGAIN_AFTER.into_iter(), Instant::now());
        loop {
            match table.read_anew().await {
                Err(error) if error.is_retryable() => {
                    let soon = begun.elapsed() < READ_AGAIN_WITHIN;
                    let Some(millis) = pauses.next().filter(|_| soon) else { return Err(error) };
                    tracing::debug!(%error, millis, "a table is opened again");
                    tokio::time::sleep(Duration::from_millis(millis)).await;
                }
                Err(error) if !error.is_of_one_table() => return Err(error),
                _ => return Ok(table),
            }
        }
    }

    /// Reads the table as if it had never been read.
    async fn read_anew(&self) -> Result<Snapshot, LakeError> {
        let taken_at = self.now();
        let read = self.first_snapshot(taken_at).await;
        let mut newest = self.0.newest.write().unwrap_or_else(PoisonError::into_inner);
        if newest.is_err() && read.as_ref().err().is_none_or(LakeError::is_of_one_table) {
            newest.clone_from(&read);
            read.iter().for_each(|snapshot| self.metrics().at(snapshot.version()));
        }
        read
    }

    async fn first_snapshot(&self, taken_at: Timestamp) -> Result<Snapshot, LakeError> {
        let State { spec, root, store, engine, .. } = &*self.0;
        let name = spec.name.name();
        let log = Log::list_newest(store, &path_of(root)?).await?;
        log.check(store, name).await?;
        let open = {
            let (root, spec, engine) = (root.clone(), spec.clone(), Arc::clone(engine));
            move || create::open(&root, &spec, &engine, log.is_empty())
        };
        let kernel = blocking(format!("opening table `{name}`"), open).await??;
        let (store, engine) = (Arc::clone(store), Arc::clone(engine));
        Ok(Snapshot::new(spec.name, store, kernel, engine, taken_at))
    }

    /// Which table it is.
    pub fn name(&self) -> TableName {
        self.0.spec.name
    }

    /// Its columns.
    pub fn spec(&self) -> &TableSpec {
        &self.0.spec
    }

    /// Its root, ending with a slash.
    pub fn root(&self) -> &Url {
        &self.0.root
    }

    /// The store that its files are in; its paths are the paths of their URLs.
    pub fn object_store(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.0.store)
    }

    /// Where a data file lies in the store.
    ///
    /// # Errors
    /// [`LakeError::Internal`] when the log names no path below the table.
    pub fn location(&self, file: &DataFile) -> Result<Path, LakeError> {
        let url = self.0.root.join(&file.path);
        path_of(&url.map_err(|why| LakeError::internal("locating a data file", why))?)
    }

    /// The present instant, by the lake's clock.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// What it tells an operator.
    pub fn metrics(&self) -> &TableMetrics {
        &self.0.metrics
    }

    pub(super) fn engine(&self) -> &Arc<Engine> {
        &self.0.engine
    }

    /// The newest version that this process knows of.
    ///
    /// # Errors
    /// Why the table must not be used: [`LakeError::Damaged`] or [`LakeError::Unusable`].
    pub fn snapshot(&self) -> Result<Snapshot, LakeError> {
        self.0.newest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The newest known version's number.
    ///
    /// # Errors
    /// Why the table must not be used.
    pub fn version(&self) -> Result<u64, LakeError> {
        Ok(self.snapshot()?.version())
    }

    /// The version that the last commit of this application carried, in the newest known version.
    ///
    /// # Errors
    /// [`LakeError::Retryable`] when the log cannot be read.
    pub async fn next_offset(&self, app_id: &str) -> Result<Option<i64>, LakeError> {
        self.snapshot()?.next_offset(app_id).await
    }

    /// Reads what others have committed since; a table that could not be used may be repaired.
    ///
    /// # Errors
    /// [`LakeError::Retryable`] when the log cannot be read, and why the table still must not be
    /// used.
    pub async fn refresh(&self) -> Result<Snapshot, LakeError> {
        let Ok(known) = self.snapshot() else { return self.read_anew().await };
        let taken_at = self.now();
        let standing = known.standing().await?;
        // After a long pause the next version's entry may have been cleaned away already.
        let anew = self.is_stale(&known) || standing == Standing::Gone;
        if !anew && standing == Standing::Newest {
            known.confirm(taken_at);
            return Ok(known);
        }
        self.read_after(&known, anew).await
    }

    /// Reads the newest version, from a known one and what followed it, checkpoints among it, or
    /// anew.
    ///
    /// # Errors
    /// As [`Table::refresh`].
    pub(super) async fn read_after(
        &self,
        known: &Snapshot,
        anew: bool,
    ) -> Result<Snapshot, LakeError> {
        let what = || format!("refreshing table `{}`", self.name().name());
        let (table, taken_at) = (self.clone(), self.now());
        let base = known.kernel().clone();
        let read = move || {
            if anew {
                return create::newest(table.root(), table.engine());
            }
            delta_kernel::Snapshot::builder_from(base.clone()).build(table.0.follower.as_ref())
        };
        let is_behind = |error: &_| is_hole(error) || is_gone(error);
        let mut pauses = READ_AGAIN_AFTER.into_iter();
        let kernel = loop {
            let read = blocking(what(), read.clone()).await?;
            let error = match read {
                Ok(kernel) => break kernel,
                Err(error) => error,
            };
            let Some(millis) = pauses.next().filter(|_| is_behind(&error)) else {
                return Err(LakeError::from_kernel(what(), error));
            };
            tracing::debug!(%error, millis, "a log is read again");
            tokio::time::sleep(Duration::from_millis(millis)).await;
        };
        Ok(self.install(known.later(kernel, taken_at)))
    }

    /// An earlier version, as long as its log is kept; files that it names may be deleted a day
    /// after they were replaced.
    ///
    /// # Errors
    /// [`LakeError`] when the log does not lead there any more, or cannot be read.
    pub async fn at(&self, version: u64) -> Result<Snapshot, LakeError> {
        let what = || format!("reading version {version} of table `{}`", self.name().name());
        let (table, taken_at) = (self.clone(), self.now());
        let read = move || {
            let builder = delta_kernel::Snapshot::builder_for(table.root());
            builder.at_version(version).build(table.engine().as_ref())
        };
        let kernel = blocking(what(), read).await?;
        let kernel = kernel.map_err(|error| LakeError::from_kernel(what(), error))?;
        let State { spec, store, engine, .. } = &*self.0;
        Ok(Snapshot::new(spec.name, Arc::clone(store), kernel, Arc::clone(engine), taken_at))
    }

    /// Whether a snapshot is too old for its next version to be surely free.
    pub(super) fn is_stale(&self, snapshot: &Snapshot) -> bool {
        let age = self.now().micros_since(snapshot.taken_at());
        age > PAUSE_SECONDS_MAX * 1_000_000
    }

    /// Makes a snapshot the newest known one, unless a newer one is known; returns the newest.
    pub(super) fn install(&self, snapshot: Snapshot) -> Snapshot {
        let mut newest = self.0.newest.write().unwrap_or_else(PoisonError::into_inner);
        match &*newest {
            Ok(known) if known.version() > snapshot.version() => known.clone(),
            _ => {
                *newest = Ok(snapshot.clone());
                self.metrics().at(snapshot.version());
                snapshot
            }
        }
    }
}

/// The store's path of a URL.
pub(super) fn path_of(url: &Url) -> Result<Path, LakeError> {
    let path = Path::from_url_path(url.path());
    path.map_err(|why| LakeError::internal(format!("reading the path of `{url}`"), why))
}

/// An engine for logs in directories: a listing reads the names of all versions that are kept.
fn follower(root: &Url, store: &Arc<dyn ObjectStore>) -> Option<Engine> {
    let tail = || -> Arc<dyn ObjectStore> { Arc::new(Tail::over(Arc::clone(store))) };
    (root.scheme() == "file").then(|| engine(&tail()))
}

fn engine(store: &Arc<dyn ObjectStore>) -> Engine {
    let executor = TokioMultiThreadExecutor::new(tokio::runtime::Handle::current());
    DefaultEngineBuilder::new(Arc::clone(store)).with_task_executor(Arc::new(executor)).build()
}
