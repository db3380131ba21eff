//! The questions that are being answered: shown and cancelled by who asked, or by an administrator.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::auth::{Caller, MayAsk};
use super::keys::KeyScope;
use super::problem::{Problem, ProblemKind};
use super::state::App;
use crate::time::Timestamp;

/// The header that names a question, in requests and in answers.
pub(super) const QUERY_ID: &str = "x-query-id";

/// The most characters of a statement that are shown.
const SHOWN_CHARS: usize = 1_000;

/// Every question that is being answered.
#[derive(Debug, Default)]
pub(crate) struct Running(Mutex<BTreeMap<Uuid, Entry>>);

#[derive(Debug)]
struct Entry {
    key_id: Option<String>,
    owner: String,
    statement: String,
    since: Timestamp,
    cancel: CancellationToken,
}

/// A question that is being answered; no longer, when it is dropped.
#[derive(Debug)]
pub(crate) struct Begun {
    pub id: Uuid,
    pub cancel: CancellationToken,
    running: Arc<Running>,
}

/// A question that is being answered, as it is shown.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RunningView {
    #[schema(value_type = String, format = "uuid")]
    query_id: Uuid,
    owner: String,
    statement: String,
    since: String,
}

impl Running {
    /// Enters a question, under the id that the request names.
    ///
    /// # Errors
    /// When the id is no UUID, or is in use.
    pub(super) fn begin(
        self: &Arc<Self>,
        caller: &Caller,
        statement: &str,
        headers: &HeaderMap,
        since: Timestamp,
    ) -> Result<Begun, Problem> {
        let invalid =
            |why: &str| Problem::new(ProblemKind::InvalidRequest, format!("`X-Query-Id`: {why}"));
        let id = match headers.get(QUERY_ID) {
            None => Uuid::new_v4(),
            Some(id) => {
                let id = id.to_str().ok().and_then(|id| Uuid::parse_str(id).ok());
                id.ok_or_else(|| invalid("expected a UUID"))?
            }
        };
        let cancel = CancellationToken::new();
        self.enter(id, cancel, (caller, statement, since))
            .ok_or_else(|| invalid("a question of this id is being answered"))
    }

    /// Enters a question under an id of its own, which ends with this token.
    pub(crate) fn begin_new(
        self: &Arc<Self>,
        caller: &Caller,
        statement: &str,
        since: Timestamp,
        cancel: CancellationToken,
    ) -> Option<Begun> {
        self.enter(Uuid::new_v4(), cancel, (caller, statement, since))
    }

    /// `None`: the id is in use.
    fn enter(
        self: &Arc<Self>,
        id: Uuid,
        cancel: CancellationToken,
        (caller, statement, since): (&Caller, &str, Timestamp),
    ) -> Option<Begun> {
        let entry = Entry {
            key_id: caller.key_id.clone(),
            owner: caller.sender.namespace.clone(),
            statement: statement.chars().take(SHOWN_CHARS).collect(),
            since,
            cancel: cancel.clone(),
        };
        let mut entries = self.entries();
        if entries.contains_key(&id) {
            return None;
        }
        entries.insert(id, entry);
        Some(Begun { id, cancel, running: Arc::clone(self) })
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, BTreeMap<Uuid, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.running.entries().remove(&self.id);
    }
}

impl Entry {
    fn may_be_seen_by(&self, caller: &Caller) -> bool {
        caller.has(KeyScope::Admin) || self.key_id == caller.key_id
    }
}

/// `GET /v1/queries`: the caller's questions that are being answered; an administrator's answer has
/// everybody's.
#[utoipa::path(
    get, path = "/v1/queries", operation_id = "list_queries", tag = "questions",
    responses((status = 200, description = "Questions.", body = Vec<RunningView>))
)]
pub async fn list(MayAsk(caller): MayAsk, State(app): State<Arc<App>>) -> Json<Vec<RunningView>> {
    let entries = app.running.entries();
    let seen = entries.iter().filter(|(_, entry)| entry.may_be_seen_by(&caller));
    let views = seen.map(|(id, entry)| RunningView {
        query_id: *id,
        owner: entry.owner.clone(),
        statement: entry.statement.clone(),
        since: entry.since.to_string(),
    });
    Json(views.collect())
}

/// `DELETE /v1/queries/{query_id}`: ends one; whoever waits for it is told so.
#[utoipa::path(
    delete, path = "/v1/queries/{query_id}", operation_id = "cancel_query", tag = "questions",
    params(("query_id" = String, Path, description = "The question's `X-Query-Id`.")),
    responses((status = 204, description = "It ends."))
)]
pub async fn cancel(
    MayAsk(caller): MayAsk,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let entries = app.running.entries();
    let entry = Uuid::parse_str(&id).ok().and_then(|id| entries.get(&id));
    match entry.filter(|entry| entry.may_be_seen_by(&caller)) {
        Some(entry) => {
            entry.cancel.cancel();
            Ok(StatusCode::NO_CONTENT)
        }
        None => {
            let detail = format!("no question `{id}` of yours is being answered");
            Err(Problem::new(ProblemKind::NotFound, detail))
        }
    }
}
