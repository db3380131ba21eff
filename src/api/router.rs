//! The table of contents: every address, its method and who answers it.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::decompression::RequestDecompressionLayer;

use super::problem::{Problem, ProblemKind};
use super::state::App;
use super::{
    health, ingest, key_routes, limits, openapi, price_routes, quality, questions, replay_routes,
    request, revision_routes, running,
};

/// The most that price books in a request may have.
const BOOKS_BYTES_MAX: usize = 32 << 20;

/// Every route of the server.
pub fn router(app: Arc<App>) -> Router {
    let mut routes = operations()
        .merge(management(&app))
        .merge(questions(&app))
        .merge(running_questions())
        .merge(revisions());
    if app.state.log.is_some() {
        routes = routes.merge(front_doors(&app));
    }
    routes
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), request::complete))
        .with_state(app)
}

fn operations() -> Router<Arc<App>> {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/version", get(health::version))
        .route("/openapi.json", get(openapi::document))
}

fn front_doors(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/v1/events", post(ingest::events))
        .route("/v1/litellm", post(ingest::litellm))
        .layer(RequestDecompressionLayer::new().pass_through_unaccepted(true))
        .layer(DefaultBodyLimit::max(app.state.config.body_bytes_max.0))
        .layer(from_fn_with_state(app.clone(), limits::ingest))
}

fn questions(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/v1/sql", post(questions::sql))
        .route("/v1/costs", get(questions::costs))
        .route("/v1/anomalies", get(questions::anomalies))
        .route("/v1/questions", get(questions::list))
        .route("/v1/questions/{name}", get(questions::question))
        .route("/v1/quality", get(quality::quality))
        .route("/v1/prices", get(price_routes::prices))
        .route("/v1/prices/explain", get(price_routes::explain))
        .layer(from_fn_with_state(app.clone(), limits::query))
}

/// Shown and cancelled also while every place for questions is taken.
fn running_questions() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/queries", get(running::list))
        .route("/v1/queries/{query_id}", delete(running::cancel))
}

fn management(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/v1/keys", get(key_routes::list).post(key_routes::create))
        .route("/v1/keys/{key_id}", delete(key_routes::revoke))
        .layer(from_fn_with_state(app.clone(), limits::query))
}

/// What changes history; it may take longer than any question.
fn revisions() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/revisions", get(revision_routes::list).post(revision_routes::revise))
        .route("/v1/revisions/{revision_id}/rollback", post(revision_routes::rollback))
        .route("/v1/dead-letters/replay", post(replay_routes::replay))
        .layer(DefaultBodyLimit::max(BOOKS_BYTES_MAX))
}

async fn not_found(uri: Uri) -> Problem {
    Problem::new(ProblemKind::NotFound, format!("there is no `{}`", uri.path()))
}

async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    let detail = format!("`{}` does not take `{method}`", uri.path());
    Problem::new(ProblemKind::MethodNotAllowed, detail)
}

fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    // What a panic says may quote an event: it stays inside.
    drop(cause);
    tracing::error!("a request handler panicked");
    Problem::new(ProblemKind::Internal, "the fault is ours; it was logged").into_response()
}
