//! One request to a front door: who sends it, on what terms, and its body, decompressed.

use std::sync::Arc;

use axum::RequestExt;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Query, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use crate::api::auth::{Caller, MaySend};
use crate::api::keys::KeyScope;
use crate::api::problem::{Problem, ProblemKind};
use crate::api::state::App;
use crate::setting::Span;

/// The names of one JSON document a line.
pub const NDJSON: [&str; 4] =
    ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-lines"];

/// What a sender may say in the query string.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Terms {
    /// How old an event may be, instead of the pipeline's default; for administrators.
    max_age: Option<Span>,
}

/// A request to a front door.
pub struct Delivery {
    /// Who sends it.
    pub caller: Caller,
    /// How old its events may be, in seconds, where an administrator said so.
    pub max_age_seconds: Option<i64>,
    /// Whether the body is said to have one event a line.
    pub is_ndjson: bool,
    /// The body.
    pub body: Bytes,
}

impl FromRequest<Arc<App>> for Delivery {
    type Rejection = Problem;

    /// The caller first: nothing is read for those who may not send.
    async fn from_request(mut request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let MaySend(caller) = request.extract_parts_with_state(app).await?;
        let max_age_seconds = max_age(&request, &caller)?;
        check_encoding(request.headers())?;
        let is_ndjson = media_type(request.headers()).is_some_and(|name| NDJSON.contains(&name));
        let body = Bytes::from_request(request, app).await.map_err(unreadable)?;
        Ok(Self { caller, max_age_seconds, is_ndjson, body })
    }
}

/// The media type of a body, without its parameters.
pub fn media_type(headers: &HeaderMap) -> Option<&str> {
    let named = headers.get(header::CONTENT_TYPE)?.to_str().unwrap_or_default();
    named.split(';').next().map(str::trim)
}

fn max_age(request: &Request, caller: &Caller) -> Result<Option<i64>, Problem> {
    let Query(terms) = Query::<Terms>::try_from_uri(request.uri())
        .map_err(|why| Problem::new(ProblemKind::InvalidRequest, why.body_text()))?;
    if terms.max_age.is_some() && !caller.has(KeyScope::Admin) {
        let detail = "`max_age` needs a key with the scope `admin`";
        return Err(Problem::new(ProblemKind::Forbidden, detail));
    }
    let seconds = |span: Span| i64::try_from(span.0.as_secs()).unwrap_or(i64::MAX);
    Ok(terms.max_age.map(seconds))
}

/// An encoding that is still named here is one that nobody took off.
fn check_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if encoding != "identity" => {
            let detail = "a body may be `gzip` or not encoded at all";
            Err(Problem::new(ProblemKind::UnsupportedMediaType, detail))
        }
        _ => Ok(()),
    }
}

fn unreadable(why: BytesRejection) -> Problem {
    if why.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let detail = "the body is larger than `api.body_bytes_max`: send fewer events at once";
        return Problem::new(ProblemKind::BodyTooLarge, detail);
    }
    let detail = "the body broke off, or is not the gzip that its header names";
    Problem::new(ProblemKind::UnreadableBody, detail)
}
