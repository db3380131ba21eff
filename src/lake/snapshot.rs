//! One version of a table: what it holds, and the offsets that its rows came from.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use delta_kernel::SnapshotRef;
use delta_kernel_default_engine::DefaultEngine;
use delta_kernel_default_engine::executor::tokio::TokioMultiThreadExecutor;
use tokio::sync::OnceCell;

use super::error::LakeError;
use super::files::{self, DataFile};
use super::tables::TableName;
use crate::time::Timestamp;

/// The kernel's engine, over the lake's store and the process's runtime.
pub(super) type Engine = DefaultEngine<TokioMultiThreadExecutor>;

/// One version of a table. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Snapshot(Arc<State>);

#[derive(Debug)]
struct State {
    table: TableName,
    kernel: SnapshotRef,
    engine: Arc<Engine>,
    taken_at: Timestamp,
    /// Transactions that were read already, or were committed with this version.
    offsets: Mutex<HashMap<String, Option<i64>>>,
    files: OnceCell<Arc<[DataFile]>>,
}

impl Snapshot {
    /// A snapshot as read at that time.
    pub(super) fn new(
        table: TableName,
        kernel: SnapshotRef,
        engine: Arc<Engine>,
        taken_at: Timestamp,
    ) -> Self {
        let (offsets, files) = (Mutex::default(), OnceCell::new());
        Self(Arc::new(State { table, kernel, engine, taken_at, offsets, files }))
    }

    /// The snapshot that a commit on this one left: what was read here holds there too, but for the
    /// commit's own transactions.
    pub(super) fn followed_by(
        &self,
        kernel: SnapshotRef,
        transactions: &[(String, i64)],
        taken_at: Timestamp,
    ) -> Self {
        let mut offsets = self.known_offsets().clone();
        offsets.extend(transactions.iter().map(|(app, next)| (app.clone(), Some(*next))));
        let next = Self::new(self.0.table, kernel, Arc::clone(&self.0.engine), taken_at);
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
        self.0.taken_at
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
        let list = async {
            let state = Arc::clone(&self.0);
            let what = format!("listing the files of `{}`", state.table.name());
            let list = move || files::list(&state.kernel, state.engine.as_ref());
            let listed = blocking(what.clone(), list).await?;
            Ok(listed.map_err(|error| LakeError::from_kernel(what, error))?.into())
        };
        self.0.files.get_or_try_init(|| list).await.cloned()
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
