//! What the server is handed, and what it keeps while it runs.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use prometheus::Registry;
use tokio::sync::Semaphore;

use super::keys::KeyRing;
use super::metrics::ApiMetrics;
use super::running::Running;
use super::{ApiConfig, ApiError, Revisions};
use crate::pipeline::Books;
use crate::query::QueryEngine;
use crate::source::EventLog;
use crate::time::Clock;

/// What the server works with. Routes whose part is absent are not there.
pub struct ApiState {
    /// Address, limits and times.
    pub config: ApiConfig,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// Who may do what.
    pub keys: Arc<KeyRing>,
    /// Where accepted events go; `None`: no front doors.
    pub log: Option<Arc<dyn EventLog>>,
    /// What answers questions; `None`: nothing does.
    pub engine: Option<Arc<QueryEngine>>,
    /// What changes rows that exist; `None`: nothing does.
    pub revisions: Option<Arc<Revisions>>,
    /// The price book in force, to be shown.
    pub books: Option<Books>,
    /// What must hold for `/readyz` to say so.
    pub checks: Vec<ReadyCheck>,
    /// What `/metrics` shows.
    pub registry: Registry,
}

/// One condition of readiness.
pub struct ReadyCheck {
    /// What is looked at: `source`, `lake`.
    pub name: &'static str,
    /// Says, at once and without waiting, why it is not ready.
    pub check: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
}

impl fmt::Debug for ReadyCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReadyCheck").field(&self.name).finish()
    }
}

/// The server's state while it runs.
pub struct App {
    pub(crate) state: ApiState,
    pub(super) metrics: ApiMetrics,
    pub(super) ingest_places: Semaphore,
    pub(super) query_places: Arc<Semaphore>,
    /// Dead letters that this process has put onto the log again; the lock is a replay's turn.
    pub(super) replayed: tokio::sync::Mutex<HashSet<String>>,
    /// The questions that are being answered.
    pub(crate) running: Arc<Running>,
    stopping: AtomicBool,
}

impl App {
    /// The state of a server that is about to run.
    ///
    /// # Errors
    /// [`ApiError::Metrics`] when a metric's name is taken.
    pub fn new(state: ApiState) -> Result<Arc<Self>, ApiError> {
        Ok(Arc::new(Self {
            metrics: ApiMetrics::register(&state.registry)?,
            ingest_places: Semaphore::new(state.config.ingest_requests_max),
            query_places: Arc::new(Semaphore::new(state.config.query_requests_max)),
            running: Arc::default(),
            replayed: tokio::sync::Mutex::default(),
            stopping: AtomicBool::new(false),
            state,
        }))
    }

    /// Whether the server is on its way out.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// From now on readiness says no, and front doors take nothing.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }
}
