//! Errors as RFC 9457 problem documents, with types that stay.
//!
//! In: a [`Problem`] that a handler returns. Out: `application/problem+json`, completed with path
//! and request id by [`super::request`]. Never: a value of an event, or of another tenant's row.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// Seconds after which a sender should try again.
const RETRY_AFTER_SECONDS: u16 = 2;
/// Where the types live; the rest is the kind's name.
const TYPE_PREFIX: &str = "urn:tokenmeter:problem:";

/// The kinds of problem; their names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// The body cannot be split into events; nothing was taken.
    UnreadableBody,
    /// A parameter or a field of the request is wrong.
    InvalidRequest,
    /// The body is larger, or holds more events, than allowed; nothing was taken.
    BodyTooLarge,
    /// This door does not take such a content type or encoding.
    UnsupportedMediaType,
    /// No key, or one that is unknown, expired or revoked.
    Unauthenticated,
    /// The key may not do this.
    Forbidden,
    /// There is nothing at this address.
    NotFound,
    /// The address does not take this method.
    MethodNotAllowed,
    /// No format that the `Accept` header names can be given.
    NotAcceptable,
    /// The statement is not allowed, or not understood.
    QueryRefused,
    /// The statement failed while it ran.
    QueryFailed,
    /// The query used more than it may: time, memory, rows or bytes.
    QueryLimit,
    /// The statement was ended by who may do so.
    QueryCancelled,
    /// Too many requests at once.
    Overloaded,
    /// The log or the lake is not to be had at the moment.
    Unavailable,
    /// The server is on its way out.
    ShuttingDown,
    /// The request took too long; it may have had an effect, and may safely be sent again.
    TimedOut,
    /// A fault of ours.
    Internal,
}

impl ProblemKind {
    /// The kind's name: the end of its type, and the `code` member.
    pub const fn name(self) -> &'static str {
        self.facts().0
    }

    /// The HTTP status.
    pub const fn status(self) -> StatusCode {
        self.facts().1
    }

    const fn facts(self) -> (&'static str, StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::UnreadableBody => {
                ("unreadable_body", S::BAD_REQUEST, "the body cannot be split into events")
            }
            Self::InvalidRequest => {
                ("invalid_request", S::BAD_REQUEST, "the request is not understood")
            }
            Self::BodyTooLarge => ("body_too_large", S::PAYLOAD_TOO_LARGE, "the body is too large"),
            Self::UnsupportedMediaType => (
                "unsupported_media_type",
                S::UNSUPPORTED_MEDIA_TYPE,
                "this content type or encoding is not taken here",
            ),
            Self::Unauthenticated => {
                ("unauthenticated", S::UNAUTHORIZED, "a valid API key is needed")
            }
            Self::Forbidden => ("forbidden", S::FORBIDDEN, "the API key may not do this"),
            Self::NotFound => ("not_found", S::NOT_FOUND, "there is nothing here"),
            Self::MethodNotAllowed => {
                ("method_not_allowed", S::METHOD_NOT_ALLOWED, "this method is not taken here")
            }
            Self::NotAcceptable => {
                ("not_acceptable", S::NOT_ACCEPTABLE, "no accepted format can be given")
            }
            Self::QueryRefused => {
                ("query_refused", S::BAD_REQUEST, "the statement is not allowed or not understood")
            }
            Self::QueryFailed => {
                ("query_failed", S::UNPROCESSABLE_ENTITY, "the statement failed while it ran")
            }
            Self::QueryLimit => {
                ("query_limit", S::UNPROCESSABLE_ENTITY, "the query used more than it may")
            }
            Self::QueryCancelled => ("query_cancelled", S::CONFLICT, "the query was cancelled"),
            Self::Overloaded => ("overloaded", S::SERVICE_UNAVAILABLE, "too many requests at once"),
            Self::Unavailable => {
                ("unavailable", S::SERVICE_UNAVAILABLE, "something needed is not to be had now")
            }
            Self::ShuttingDown => {
                ("shutting_down", S::SERVICE_UNAVAILABLE, "the server is shutting down")
            }
            Self::TimedOut => ("timed_out", S::SERVICE_UNAVAILABLE, "the request took too long"),
            Self::Internal => {
                ("internal", S::INTERNAL_SERVER_ERROR, "something went wrong on our side")
            }
        }
    }
}

/// One problem, for one request.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Which kind.
    pub kind: ProblemKind,
    /// What was wrong this time, and what would be right.
    pub detail: String,
}

/// What went wrong: RFC 9457.
#[derive(Serialize, ToSchema)]
pub struct ProblemDocument {
    /// The kind's address, which stays: `urn:tokenmeter:problem:` and the code.
    r#type: String,
    /// The kind in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// The kind's name, which stays.
    code: String,
    /// What was wrong this time, and what would be right.
    detail: String,
    /// The path that was asked.
    instance: String,
    /// The request's id, as the header `X-Request-Id` has it.
    request_id: String,
}

impl Problem {
    /// A problem of a kind, with what was wrong this time.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// The document for a request of that path and id.
    pub(super) fn document(&self, instance: &str, request_id: &str) -> String {
        let (code, status, title) = self.kind.facts();
        let document = ProblemDocument {
            r#type: format!("{TYPE_PREFIX}{code}"),
            title: title.to_owned(),
            status: status.as_u16(),
            code: code.to_owned(),
            detail: self.detail.clone(),
            instance: instance.to_owned(),
            request_id: request_id.to_owned(),
        };
        serde_json::to_string(&document).unwrap_or_default()
    }
}

impl IntoResponse for Problem {
    /// Status and headers; the document is written where path and request id are known.
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        let headers = response.headers_mut();
        if self.kind.status() == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        if self.kind == ProblemKind::Unauthenticated {
            let challenge = HeaderValue::from_static("Bearer realm=\"tokenmeter\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response.extensions_mut().insert(self);
        response
    }
}
