//! What machines ask about the server: is it alive, is it ready, what does it count, what is it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus::{Encoder, TextEncoder};
use serde_json::json;

use super::problem::{Problem, ProblemKind};
use super::state::App;

/// `GET /healthz`: the process lives.
pub async fn healthz() -> Json<serde_json::Value> {
    Json(json!({ "status": "ok" }))
}

/// `GET /readyz`: source and lake are fine; else 503 with the reasons.
pub async fn readyz(State(app): State<Arc<App>>) -> Response {
    let stopping = app.is_stopping().then(|| "the server is shutting down".to_owned());
    let failed = app.state.checks.iter().filter_map(|check| {
        let why = (check.check)().err()?;
        Some(format!("{}: {why}", check.name))
    });
    let reasons: Vec<String> = stopping.into_iter().chain(failed).collect();
    let ready = reasons.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "reasons": reasons }))).into_response()
}

/// `GET /metrics`: everything that rooms registered, in the text format of Prometheus.
pub async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let (encoder, mut text) = (TextEncoder::new(), Vec::new());
    encoder
        .encode(&app.state.registry.gather(), &mut text)
        .map_err(|error| Problem::new(ProblemKind::Internal, error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, encoder.format_type().to_owned())], text).into_response())
}

/// `GET /version`.
pub async fn version() -> Json<serde_json::Value> {
    Json(json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") }))
}
