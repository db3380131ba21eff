//! Revisions over HTTP, for administrators: tried, applied, listed, rolled back.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::MayManage;
use super::problem::{Problem, ProblemKind};
use super::state::App;
use crate::lake::Lake;
use crate::revision::{
    self, Author, InForce, RevisionError, RevisionReport, RevisionRequest, RevisionView,
};

/// What revisions are made with.
#[derive(Debug)]
pub struct Revisions {
    /// The tables.
    pub lake: Arc<Lake>,
    /// Books and rules.
    pub in_force: InForce,
    /// One at a time.
    turn: tokio::sync::Mutex<()>,
}

impl Revisions {
    /// Revisions of a lake under what is in force.
    pub fn new(lake: Arc<Lake>, in_force: InForce) -> Arc<Self> {
        Arc::new(Self { lake, in_force, turn: tokio::sync::Mutex::default() })
    }
}

/// Why something is taken back.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackRequest {
    /// Every changed row carries it.
    pub reason: String,
}

/// What was taken back.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RollbackReport {
    /// The ids of the revisions that did it.
    pub revision_ids: Vec<String>,
    /// How many rows changed.
    pub rows: u64,
}

/// `GET /v1/revisions`: those that count, oldest first.
#[utoipa::path(
    get, path = "/v1/revisions", operation_id = "list_revisions", tag = "administration",
    responses((status = 200, description = "Revisions.", body = Vec<RevisionView>))
)]
pub async fn list(
    _: MayManage,
    State(app): State<Arc<App>>,
) -> Result<Json<Vec<RevisionView>>, Problem> {
    let entries = revision::history(&revisions(&app)?.lake).await?;
    Ok(Json(entries.iter().map(RevisionView::from).collect()))
}

/// `POST /v1/revisions`: says what a revision would change; with `apply`, changes it.
#[utoipa::path(
    post, path = "/v1/revisions", operation_id = "revise", tag = "administration",
    request_body = RevisionRequest,
    responses((status = 200, description = "What changes.", body = RevisionReport))
)]
pub async fn revise(
    MayManage(caller): MayManage,
    State(app): State<Arc<App>>,
    body: Result<Json<RevisionRequest>, JsonRejection>,
) -> Result<Json<RevisionReport>, Problem> {
    let Json(request) = body.map_err(unread)?;
    let revisions = revisions(&app)?;
    let (scope, terms) = (request.scope()?, request.terms(&revisions.in_force)?);
    let reason = request.reason.clone();
    let author = Author { by: caller.sender.namespace, reason, at: app.state.clock.now() };
    // Whoever asked may go away: what was begun is ended all the same.
    finished(async move {
        let Revisions { lake, turn, .. } = revisions.as_ref();
        let _turn = turn.lock().await;
        let report = if request.apply {
            let (applied, difference) = revision::apply(lake, &scope, &terms, &author).await?;
            RevisionReport::new(&terms, &difference, Some(applied))
        } else {
            let difference = revision::dry_run(lake, &scope, &terms).await?;
            RevisionReport::new(&terms, &difference, None)
        };
        Ok(report)
    })
    .await
}

/// `POST /v1/revisions/{revision_id}/rollback`: takes one back.
#[utoipa::path(
    post, path = "/v1/revisions/{revision_id}/rollback", operation_id = "roll_back_revision",
    tag = "administration",
    params(("revision_id" = String, Path, description = "The revision's id.")),
    request_body = RollbackRequest,
    responses((status = 200, description = "What was taken back.", body = RollbackReport))
)]
pub async fn rollback(
    MayManage(caller): MayManage,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    body: Result<Json<RollbackRequest>, JsonRejection>,
) -> Result<Json<RollbackReport>, Problem> {
    let Json(RollbackRequest { reason }) = body.map_err(unread)?;
    let revisions = revisions(&app)?;
    let author = Author { by: caller.sender.namespace, reason, at: app.state.clock.now() };
    finished(async move {
        let _turn = revisions.turn.lock().await;
        let applied = revision::rollback(&revisions.lake, &id, &author).await?;
        Ok(RollbackReport { revision_ids: applied.revision_ids, rows: applied.rows })
    })
    .await
}

fn revisions(app: &App) -> Result<Arc<Revisions>, Problem> {
    let revisions = app.state.revisions.clone();
    revisions.ok_or_else(|| Problem::new(ProblemKind::NotFound, "this server revises nothing"))
}

async fn finished<T: Send + 'static>(
    work: impl Future<Output = Result<T, RevisionError>> + Send + 'static,
) -> Result<Json<T>, Problem> {
    match tokio::spawn(work).await {
        Ok(done) => Ok(Json(done?)),
        Err(error) => {
            tracing::error!(%error, "a revision panicked");
            Err(Problem::new(ProblemKind::Internal, "the fault is ours; it was logged"))
        }
    }
}

fn unread(why: JsonRejection) -> Problem {
    Problem::new(ProblemKind::InvalidRequest, why.body_text())
}

impl From<RevisionError> for Problem {
    fn from(error: RevisionError) -> Self {
        let kind = match &error {
            RevisionError::Invalid(_) | RevisionError::ChangedSince { .. } => {
                ProblemKind::InvalidRequest
            }
            RevisionError::Unknown { .. } => ProblemKind::NotFound,
            RevisionError::Lake(_) | RevisionError::Overtaken { .. } => ProblemKind::Unavailable,
        };
        Self::new(kind, error.to_string())
    }
}
