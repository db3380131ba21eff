//! How many requests at once, and for how long; beyond that 503, which every sender retries.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::{Problem, ProblemKind};
use super::state::App;
use crate::setting::Span;

/// The limits of front doors.
pub async fn ingest(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if app.is_stopping() {
        let detail = "send the events again, here after a restart or to another instance";
        return Err(Problem::new(ProblemKind::ShuttingDown, detail));
    }
    within(&app.ingest_places, app.state.config.ingest_timeout, next.run(request)).await
}

/// The limits of questions.
pub async fn query(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    within(&app.query_places, app.state.config.query_timeout, next.run(request)).await
}

/// A place for one question; taken until it is dropped.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// A place for a question; `None` while all are taken.
    pub(crate) fn of_query(app: &App) -> Option<Self> {
        let permit = Arc::clone(&app.query_places).try_acquire_owned().ok()?;
        Some(Self { _permit: permit })
    }
}

async fn within(
    places: &Semaphore,
    limit: Span,
    answer: impl Future<Output = Response>,
) -> Result<Response, Problem> {
    let overloaded = |_| Problem::new(ProblemKind::Overloaded, "try again in a moment");
    let _place = places.try_acquire().map_err(overloaded)?;
    tokio::time::timeout(limit.0, answer).await.map_err(|_| {
        let detail = format!("no answer within {} s; sending it again is safe", limit.0.as_secs());
        Problem::new(ProblemKind::TimedOut, detail)
    })
}
