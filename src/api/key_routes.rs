//! Keys over HTTP, for administrators: a running server holds the tables' lock, so the commands
//! `keys create|list|revoke` come here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::MayManage;
use super::keys::{KeyError, KeyRecord, KeyScope, NewKey};
use super::problem::{Problem, ProblemKind};
use super::state::App;
use crate::event::Who;
use crate::time::Timestamp;

/// A key to be made, as a request says it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeyRequest {
    /// Whose key it is.
    pub owner: String,
    /// What it is for.
    pub label: String,
    /// `ingest`, `query`, `admin`.
    pub scopes: BTreeSet<KeyScope>,
    /// Whose rows it may read.
    pub tenants: BTreeSet<String>,
    /// What it asserts, by who-column.
    pub asserted: BTreeMap<String, String>,
    /// Whether callers may claim a tenant.
    pub claims_allowed: bool,
    /// When it ends, RFC 3339.
    pub expires_at: Option<String>,
}

/// A key, as answers show it. Its text is there once: in the answer that made it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct KeyView {
    /// Its id.
    pub key_id: String,
    /// How its text begins.
    pub prefix: String,
    /// Its text, for the one who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What it may do.
    #[serde(flatten)]
    pub terms: KeyRequest,
    /// When it was made.
    pub created_at: String,
    /// When it was revoked.
    pub revoked_at: Option<String>,
    /// Whether it opens doors now.
    pub live: bool,
}

/// `GET /v1/keys`: every key, without its text.
#[utoipa::path(
    get, path = "/v1/keys", operation_id = "list_keys", tag = "administration",
    responses((status = 200, description = "Every key.", body = Vec<KeyView>))
)]
pub async fn list(_: MayManage, State(app): State<Arc<App>>) -> Json<Vec<KeyView>> {
    let now = app.state.clock.now();
    Json(app.state.keys.records().iter().map(|record| KeyView::of(record, now)).collect())
}

/// `POST /v1/keys`: makes a key; the answer is the only place that shows it.
#[utoipa::path(
    post, path = "/v1/keys", operation_id = "create_key", tag = "administration",
    request_body = KeyRequest,
    responses((status = 201, description = "The key, with its text.", body = KeyView))
)]
pub async fn create(
    _: MayManage,
    State(app): State<Arc<App>>,
    body: Result<Json<KeyRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<KeyView>), Problem> {
    let Json(request) =
        body.map_err(|why| Problem::new(ProblemKind::InvalidRequest, why.body_text()))?;
    let (record, text) = app.state.keys.create(request.terms()?).await?;
    let mut view = KeyView::of(&record, app.state.clock.now());
    view.key = Some(text.reveal().to_owned());
    Ok((StatusCode::CREATED, Json(view)))
}

/// `DELETE /v1/keys/{key_id}`: revokes a key.
#[utoipa::path(
    delete, path = "/v1/keys/{key_id}", operation_id = "revoke_key", tag = "administration",
    params(("key_id" = String, Path, description = "The key's id.")),
    responses((status = 200, description = "The key, revoked.", body = KeyView))
)]
pub async fn revoke(
    _: MayManage,
    State(app): State<Arc<App>>,
    Path(key_id): Path<String>,
) -> Result<Json<KeyView>, Problem> {
    let record = app.state.keys.revoke(&key_id).await?;
    Ok(Json(KeyView::of(&record, app.state.clock.now())))
}

impl KeyView {
    /// How a key is shown at a time, without its text.
    pub fn of(record: &KeyRecord, now: Timestamp) -> Self {
        Self {
            key_id: record.key_id.clone(),
            prefix: record.prefix.clone(),
            key: None,
            terms: KeyRequest::of(&record.terms),
            created_at: record.created_at.to_string(),
            revoked_at: record.revoked_at.map(|at| at.to_string()),
            live: record.is_live(now),
        }
    }
}

impl KeyRequest {
    fn of(terms: &NewKey) -> Self {
        Self {
            owner: terms.owner.clone(),
            label: terms.label.clone(),
            scopes: terms.scopes.clone(),
            tenants: terms.tenants.clone(),
            asserted: terms.assertions(),
            claims_allowed: terms.claims_allowed,
            expires_at: terms.expires_at.map(|at| at.to_string()),
        }
    }

    /// What the request says, in the room's own terms.
    ///
    /// # Errors
    /// [`KeyError::Invalid`] when a time or a who-column is not one.
    pub fn terms(self) -> Result<NewKey, KeyError> {
        let expires_at = self.expires_at.map(|text| text.parse::<Timestamp>()).transpose();
        let mut terms = NewKey {
            owner: self.owner,
            label: self.label,
            scopes: self.scopes,
            tenants: self.tenants,
            asserted: Who::default(),
            claims_allowed: self.claims_allowed,
            expires_at: expires_at.map_err(|why| KeyError::Invalid(why.to_string()))?,
        };
        terms.assert(self.asserted)?;
        Ok(terms)
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        let kind = match error {
            KeyError::Invalid(_) => ProblemKind::InvalidRequest,
            KeyError::Unknown(_) => ProblemKind::NotFound,
            KeyError::Store(_) => ProblemKind::Unavailable,
        };
        Self::new(kind, error.to_string())
    }
}
