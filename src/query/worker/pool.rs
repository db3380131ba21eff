//! The workers of a server: so many at most, and of each asker so many.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::process::{Said, Worker};
use crate::query::error::QueryError;
use crate::query::request::{Described, SqlRequest};
use crate::query::rows::Rows;

/// The pauses before a worker that did not start is started again.
const STARTED_AGAIN_AFTER: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// How a worker is started.
#[derive(Debug, Clone)]
pub struct WorkerCommand {
    /// The binary.
    pub program: PathBuf,
    /// Its arguments; `--spill DIR` is added.
    pub arguments: Vec<OsString>,
    /// Below this folder each worker spills to one of its own.
    pub spill: PathBuf,
    /// The lake that it must open, as the lake's root says it.
    pub lake: String,
}

/// Worker processes, started when they are needed and used again.
#[derive(Debug)]
pub(in crate::query) struct Workers {
    command: WorkerCommand,
    idle: Mutex<Vec<Worker>>,
    places: Arc<Semaphore>,
    /// Places of each asker.
    askers: Mutex<HashMap<String, Arc<Semaphore>>>,
    per_asker: usize,
}

/// A worker for one question.
struct Lease {
    workers: Arc<Workers>,
    worker: Option<Worker>,
    _of_asker: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Drop for Lease {
    /// A worker that has answered goes on; any other is killed, and the next one starts already.
    fn drop(&mut self) {
        let Some(mut worker) = self.worker.take() else { return };
        if worker.is_idle() {
            self.workers.idle().push(worker);
            return;
        }
        drop(worker);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let workers = Arc::clone(&self.workers);
            runtime.spawn(async move { workers.warm().await });
        }
    }
}

impl Workers {
    /// So many workers at most; one asker has half of them at most, so that there is always one
    /// for another.
    pub(in crate::query) fn new(command: WorkerCommand, count: usize) -> Arc<Self> {
        Arc::new(Self {
            command,
            idle: Mutex::default(),
            places: Arc::new(Semaphore::new(count.max(1))),
            askers: Mutex::default(),
            per_asker: count.div_ceil(2).max(1),
        })
    }

    /// Has a worker ready for the next question.
    pub(in crate::query) async fn warm(&self) {
        if self.idle().is_empty() {
            match Worker::start(&self.command).await {
                Ok(worker) => self.idle().push(worker),
                Err(error) => tracing::error!(%error, "a query worker does not start"),
            }
        }
    }

    /// Begins a question in a worker, once one is free. Whoever drops the rows before their end
    /// kills the worker.
    ///
    /// # Errors
    /// [`QueryError`].
    pub(in crate::query) async fn start(
        self: &Arc<Self>,
        request: &SqlRequest,
        rows: usize,
        bytes_max: usize,
    ) -> Result<Rows, QueryError> {
        let mut lease = self.lease(&request.asker).await?;
        let mut worker = lease.worker.as_mut().ok_or_else(none)?;
        let begun = match worker.ask(request, rows, bytes_max).await {
            // It was ended while it waited for a question, and nobody had looked since.
            Err(QueryError::TooLarge(_)) if worker.was_killed().await => {
                worker = lease.worker.insert(self.new_worker().await?);
                worker.ask(request, rows, bytes_max).await
            }
            begun => begun,
        };
        let (versions, schema, mut reading) = begun?;
        let (sender, batches) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            let Some(worker) = lease.worker.as_mut() else { return };
            loop {
                let (said, is_last) = match worker.next(&mut reading).await {
                    Ok(Said::Rows(batch)) => (Ok(batch), false),
                    Ok(Said::End) => return,
                    Err(error) => (Err(error), true),
                };
                if sender.send(said).await.is_err() || is_last {
                    return;
                }
            }
        });
        Ok(Rows::new(versions, schema, batches, task))
    }

    /// Has a question described by a worker.
    ///
    /// # Errors
    /// [`QueryError`].
    pub(in crate::query) async fn describe(
        self: &Arc<Self>,
        request: &SqlRequest,
        bytes_max: usize,
    ) -> Result<Described, QueryError> {
        let mut lease = self.lease(&request.asker).await?;
        let worker = lease.worker.as_mut().ok_or_else(none)?;
        match worker.describe(request, bytes_max).await {
            // As in `start`.
            Err(QueryError::TooLarge(_)) if worker.was_killed().await => {
                let worker = lease.worker.insert(self.new_worker().await?);
                worker.describe(request, bytes_max).await
            }
            described => described,
        }
    }

    async fn lease(self: &Arc<Self>, asker: &str) -> Result<Lease, QueryError> {
        let of_asker = self.places_of(asker).acquire_owned().await.map_err(|_| none())?;
        let of_all = Arc::clone(&self.places).acquire_owned().await.map_err(|_| none())?;
        let worker = match self.take_idle() {
            Some(worker) => worker,
            None => self.new_worker().await?,
        };
        let workers = Arc::clone(self);
        Ok(Lease { workers, worker: Some(worker), _of_asker: of_asker, _of_all: of_all })
    }

    /// Starts a worker; what kept one from starting may be over in a moment.
    async fn new_worker(&self) -> Result<Worker, QueryError> {
        let mut pauses = STARTED_AGAIN_AFTER.into_iter();
        loop {
            let error = match Worker::start(&self.command).await {
                Ok(worker) => return Ok(worker),
                Err(error) => error,
            };
            tracing::error!(%error, "a query worker does not start");
            match pauses.next() {
                Some(pause) => tokio::time::sleep(pause).await,
                None => {
                    let why = format!("no query worker starts: {error}");
                    return Err(QueryError::Unavailable(why));
                }
            }
        }
    }

    fn places_of(&self, asker: &str) -> Arc<Semaphore> {
        let mut askers = self.askers.lock().unwrap_or_else(PoisonError::into_inner);
        askers.retain(|_, places| Arc::strong_count(places) > 1);
        let places = askers.entry(asker.to_owned());
        Arc::clone(places.or_insert_with(|| Arc::new(Semaphore::new(self.per_asker))))
    }

    fn take_idle(&self) -> Option<Worker> {
        let mut idle = self.idle();
        while let Some(mut worker) = idle.pop() {
            if worker.is_idle() {
                return Some(worker);
            }
        }
        None
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Worker>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn none() -> QueryError {
    QueryError::Internal("there is no query worker".to_owned())
}
