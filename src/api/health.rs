//! What machines ask about the server: is it alive, is it ready, what does it count, what is it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus::{Encoder, TextEncoder};
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::{Problem, ProblemKind};
use super::state::App;

/// That the process lives.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthView {
    /// `ok`.
    status: &'static str,
}

/// Whether source and lake are fine.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadyView {
    /// Whether they are.
    ready: bool,
    /// Why not.
    reasons: Vec<String>,
}

/// What this is.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionView {
    /// The program's name.
    name: &'static str,
    /// Its version.
    version: &'static str,
}

/// `GET /healthz`: the process lives.
#[utoipa::path(
    get, path = "/healthz", operation_id = "healthz", tag = "operations",
    responses((status = 200, description = "It does.", body = HealthView))
)]
pub async fn healthz() -> Json<HealthView> {
    Json(HealthView { status: "ok" })
}

/// `GET /readyz`: source and lake are fine; else 503 with the reasons.
#[utoipa::path(
    get, path = "/readyz", operation_id = "readyz", tag = "operations",
    responses(
        (status = 200, description = "It is.", body = ReadyView),
        (status = 503, description = "It is not, for these reasons.", body = ReadyView)
    )
)]
pub async fn readyz(State(app): State<Arc<App>>) -> Response {
    let stopping = app.is_stopping().then(|| "the server is shutting down".to_owned());
    let failed = app.state.checks.iter().filter_map(|check| {
        let why = (check.check)().err()?;
        Some(format!("{}: {why}", check.name))
    });
    let reasons: Vec<String> = stopping.into_iter().chain(failed).collect();
    let ready = reasons.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(ReadyView { ready, reasons })).into_response()
}

/// `GET /metrics`: everything that rooms registered, in the text format of Prometheus.
#[utoipa::path(
    get, path = "/metrics", operation_id = "metrics", tag = "operations",
    responses((status = 200, description = "Metrics.", body = String, content_type = "text/plain"))
)]
pub async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let (encoder, mut text) = (TextEncoder::new(), Vec::new());
    encoder
        .encode(&app.state.registry.gather(), &mut text)
        .map_err(|error| Problem::new(ProblemKind::Internal, error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, encoder.format_type().to_owned())], text).into_response())
}

/// `GET /version`.
#[utoipa::path(
    get, path = "/version", operation_id = "version", tag = "operations",
    responses((status = 200, description = "Name and version.", body = VersionView))
)]
pub async fn version() -> Json<VersionView> {
    Json(VersionView { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") })
}
