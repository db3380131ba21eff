//! What every request gets, whoever answers it: an id, a finished problem document, a metric.
//!
//! In: any request. Out: `X-Request-Id` on its response. Never logged: bodies, query strings, keys.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

use super::problem::Problem;
use super::state::App;

/// The header that carries a request's id, both ways.
pub const REQUEST_ID: &str = "x-request-id";

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
const REQUEST_ID_LENGTH_MAX: usize = 64;

/// Names the request, lets the rest answer it, and completes the answer.
pub async fn complete(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let path = request.uri().path().to_owned();
    let route = match request.extensions().get::<MatchedPath>() {
        Some(matched) => matched.as_str().to_owned(),
        None => "unknown".to_owned(),
    };
    let timer = app.metrics.start(&route);
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        *response.body_mut() = problem.document(&path, &id).into();
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response.headers_mut().insert(header::CONTENT_TYPE, PROBLEM_JSON);
        tracing::debug!(route, request_id = id, code = problem.kind.name(), "request refused");
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    app.metrics.finish(timer, &route, response.status());
    response
}

/// The sender's own id where it is a plain one, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let plain = |id: &&str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        (1..=REQUEST_ID_LENGTH_MAX).contains(&id.len()) && id.chars().all(allowed)
    };
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(plain);
    given.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned)
}
