//! Where questions go: to a worker process, or to this one; and when they end.
//!
//! A server has its questions run in worker processes; a command is a process of its own anyway.

use std::sync::Arc;

use tokio::time::Instant;

use super::answer::{Allowance, Answer};
use super::config::QueryConfig;
use super::error::QueryError;
use super::here::Here;
use super::request::{Described, SqlRequest};
use super::worker::{WorkerCommand, Workers};
use crate::lake::Lake;

/// Answers questions over a lake. Cheap to clone.
#[derive(Debug, Clone)]
pub struct QueryEngine {
    config: Arc<QueryConfig>,
    place: Place,
}

/// Where questions run.
#[derive(Debug, Clone)]
enum Place {
    Here(Arc<Here>),
    Workers(Arc<Workers>),
}

impl QueryEngine {
    /// An engine over a lake, in this process.
    ///
    /// # Errors
    /// [`QueryError::Internal`] when there is no directory to spill to.
    pub fn new(lake: Arc<Lake>, config: QueryConfig) -> Result<Self, QueryError> {
        let here = Here::new(lake, &config, None, false)?;
        Ok(Self { config: Arc::new(config), place: Place::Here(Arc::new(here)) })
    }

    /// An engine over a lake, in a process that does nothing else: a command.
    ///
    /// # Errors
    /// As [`QueryEngine::new`].
    pub fn alone(lake: Arc<Lake>, config: QueryConfig) -> Result<Self, QueryError> {
        let here = Here::new(lake, &config, None, true)?;
        Ok(Self { config: Arc::new(config), place: Place::Here(Arc::new(here)) })
    }

    /// An engine whose questions run in worker processes.
    pub fn with_workers(command: WorkerCommand, config: QueryConfig) -> Self {
        let workers = Workers::new(command, config.workers);
        Self { config: Arc::new(config), place: Place::Workers(workers) }
    }

    /// Gets ready for the first question.
    pub async fn warm(&self) {
        if let Place::Workers(workers) = &self.place {
            workers.warm().await;
        }
    }

    /// Asks one question.
    ///
    /// # Errors
    /// A [`QueryError`] before the first row; later ones come with the rows.
    pub async fn ask(&self, request: &SqlRequest) -> Result<Answer, QueryError> {
        let left = self.allowance(request);
        let (place, asked) = (self.place.clone(), request.clone());
        let (rows, bytes) = (left.rows, left.bytes.0);
        let started = async move {
            match place {
                Place::Here(here) => here.start(&asked, rows).await,
                Place::Workers(workers) => workers.start(&asked, rows, bytes).await,
            }
        };
        let rows = self.within(&left, request, started).await?;
        Ok(Answer::new(rows, left))
    }

    /// Says what the answer to a question would be like, without running it. A parameter that is
    /// a NULL of some type is of that type; one that is just NULL is what the statement makes it.
    ///
    /// # Errors
    /// As [`QueryEngine::ask`].
    pub async fn describe(&self, request: &SqlRequest) -> Result<Described, QueryError> {
        let left = self.allowance(request);
        let (place, asked) = (self.place.clone(), request.clone());
        let bytes = left.bytes.0;
        let described = async move {
            match place {
                Place::Here(here) => here.describe(&asked).await,
                Place::Workers(workers) => workers.describe(&asked, bytes).await,
            }
        };
        self.within(&left, request, described).await
    }

    /// Plans within what is allowed. Planning does not yield: as a task of its own it cannot hold
    /// up the deadline.
    async fn within<T: Send + 'static>(
        &self,
        left: &Allowance,
        request: &SqlRequest,
        planned: impl Future<Output = Result<T, QueryError>> + Send + 'static,
    ) -> Result<T, QueryError> {
        if request.sql.len() > self.config.statement_bytes_max.0 {
            let limit = self.config.statement_bytes_max.0;
            let detail = format!("the statement is longer than {limit} bytes");
            return Err(QueryError::TooLarge(detail));
        }
        let task = tokio::spawn(planned);
        let _abort = AbortOnDrop(task.abort_handle());
        let ended = tokio::select! {
            ended = tokio::time::timeout_at(left.deadline, task) => ended,
            () = request.cancel.cancelled() => return Err(QueryError::Cancelled),
        };
        match ended {
            Err(_) => Err(QueryError::Timeout(left.timeout)),
            Ok(Err(_)) => Err(QueryError::Internal("planning panicked".to_owned())),
            Ok(Ok(planned)) => planned,
        }
    }

    fn allowance(&self, request: &SqlRequest) -> Allowance {
        let longest = self.config.timeout.0;
        let timeout = request.timeout.map_or(longest, |wanted| wanted.min(longest));
        Allowance {
            rows: request.limit.unwrap_or(self.config.rows_max).min(self.config.rows_max),
            bytes: self.config.answer_bytes_max,
            timeout,
            deadline: Instant::now() + timeout,
            tells: request.scope.is_all(),
            cancel: request.cancel.clone(),
        }
    }
}

/// Ends the planning task of a question that nobody waits for any more.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
