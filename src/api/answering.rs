//! From a question to its response: asked, audited, listed while it runs, written in a format.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;

use super::audit::Audit;
use super::auth::{Caller, Tenants};
use super::metrics::Protocol;
use super::problem::{Problem, ProblemKind};
use super::running::{Begun, QUERY_ID};
use super::state::App;
use crate::lake::TableName;
use crate::query::{self, Answer, Format, QueryEngine, QueryError, Scope, SqlRequest};

/// The header that names the versions of the tables that were read: `calls=8,dead_letters=3`.
pub(super) const TABLE_VERSIONS: &str = "x-table-versions";
/// The header with the token of the next page, where there is one.
const PAGE_TOKEN: &str = "x-page-token";
const TRUNCATED: &str = "x-truncated";

/// Who asks, by which request, and under which name the question is logged and listed.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub app: &'a App,
    pub caller: &'a Caller,
    pub headers: &'a HeaderMap,
    pub named: &'a str,
}

/// A question that is being answered.
pub(super) struct Given {
    pub answer: Answer,
    begun: Begun,
    audit: Audit,
}

impl Asking<'_> {
    /// Asks, for the caller and within its tenants.
    pub(super) async fn ask(&self, request: SqlRequest) -> Result<Given, Problem> {
        let Self { app, caller, headers, named } = *self;
        let begun = app.running.begin(caller, named, headers, app.state.clock.now())?;
        let request = SqlRequest {
            scope: scope(caller),
            asker: asker(caller),
            cancel: begun.cancel.clone(),
            ..request
        };
        let engine = engine(app)?;
        let mut audit = Audit::of(app, Protocol::Http, caller, named);
        let answer = engine.ask(&request).await.map_err(|error| {
            audit.refused(&error);
            refused(&error)
        })?;
        audit.answered(&answer);
        Ok(Given { answer, begun, audit })
    }
}

impl Given {
    /// The response in a format.
    pub(super) async fn respond(self, format: Format) -> Result<Response, Problem> {
        let Self { mut answer, begun, mut audit } = self;
        let mut told =
            vec![(QUERY_ID, begun.id.to_string()), (TABLE_VERSIONS, versions(&answer.versions))];
        let mut failed = |error| {
            audit.refused(&error);
            refused(&error)
        };
        let mut response = if format == Format::Ndjson {
            let lines = query::ndjson(answer).await.map_err(&mut failed)?;
            // The account is closed with the last line, or when nobody reads on.
            let lines = lines.map(move |line| {
                let _open = (&audit, &begun);
                Ok::<_, Infallible>(line)
            });
            Body::from_stream(lines).into_response()
        } else {
            let body = query::encode(&mut answer, format).await.map_err(&mut failed)?;
            told.push((TRUNCATED, answer.truncated().to_string()));
            told.extend(answer.page_token().map(|token| (PAGE_TOKEN, token)));
            body.into_response()
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
        for (name, value) in told {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        Ok(response)
    }
}

/// Versions as a header has them, and as the term `versions` takes them.
pub(super) fn versions(versions: &[(TableName, u64)]) -> String {
    let named = versions.iter().map(|(table, at)| format!("{}={at}", table.name()));
    named.collect::<Vec<_>>().join(",")
}

/// A statement, asked by a caller.
pub(crate) fn request_of(caller: &Caller, sql: &str) -> SqlRequest {
    SqlRequest { scope: scope(caller), asker: asker(caller), ..SqlRequest::new(sql) }
}

fn asker(caller: &Caller) -> String {
    caller.key_id.clone().unwrap_or_else(|| caller.sender.namespace.clone())
}

fn scope(caller: &Caller) -> Scope {
    match &caller.tenants {
        Tenants::All => Scope::All,
        Tenants::Only(tenants) => Scope::Tenants(tenants.iter().cloned().collect()),
    }
}

fn engine(app: &App) -> Result<&QueryEngine, Problem> {
    let engine = app.state.engine.as_deref();
    engine.ok_or_else(|| Problem::new(ProblemKind::NotFound, "this instance answers no questions"))
}

/// The problem that a failed question is.
pub(crate) fn refused(error: &QueryError) -> Problem {
    let kind = match error {
        QueryError::Invalid(_) | QueryError::NotReadOnly(_) => ProblemKind::QueryRefused,
        QueryError::UnknownName(_) => ProblemKind::InvalidRequest,
        QueryError::Timeout(_) | QueryError::TooLarge(_) => ProblemKind::QueryLimit,
        QueryError::Failed(_) => ProblemKind::QueryFailed,
        QueryError::Cancelled => ProblemKind::QueryCancelled,
        QueryError::Unavailable(why) => {
            tracing::warn!(error = %why, "a question could not be answered");
            ProblemKind::Unavailable
        }
        QueryError::Internal(why) => {
            tracing::error!(error = %why, "a question could not be answered");
            return Problem::new(ProblemKind::Internal, "the fault is ours; it was logged");
        }
    };
    Problem::new(kind, error.to_string())
}
