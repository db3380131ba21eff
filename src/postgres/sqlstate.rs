//! Errors as PostgreSQL's clients know them: a code of five characters and HTTP's message.

use pgwire::error::{ErrorInfo, PgWireError};

use crate::api::refused;
use crate::query::QueryError;

pub(super) const CONNECTION_LIMIT: &str = "53400";
pub(super) const FEATURE_NOT_SUPPORTED: &str = "0A000";
pub(super) const IN_FAILED_TRANSACTION: &str = "25P02";
pub(super) const INSUFFICIENT_PRIVILEGE: &str = "42501";
pub(super) const INVALID_AUTHORIZATION: &str = "28000";
pub(super) const INVALID_BINARY: &str = "22P03";
pub(super) const INVALID_CURSOR_NAME: &str = "34000";
pub(super) const INVALID_PARAMETER_VALUE: &str = "22023";
pub(super) const INVALID_PASSWORD: &str = "28P01";
pub(super) const INVALID_TEXT: &str = "22P02";
pub(super) const LIMIT_EXCEEDED: &str = "54000";
pub(super) const PROTOCOL_VIOLATION: &str = "08P01";
pub(super) const QUERY_CANCELED: &str = "57014";
pub(super) const SYNTAX_ERROR: &str = "42601";
pub(super) const UNDEFINED_OBJECT: &str = "42704";

/// An error of that code.
pub(super) fn error(code: &str, message: impl Into<String>) -> PgWireError {
    PgWireError::UserError(Box::new(info("ERROR", code, message.into())))
}

/// An error of that code that ends the connection.
pub(super) fn fatal(code: &str, message: &str) -> PgWireError {
    PgWireError::UserError(Box::new(info("FATAL", code, message.to_owned())))
}

/// Something that a client's user should know.
pub(super) fn notice(message: String) -> ErrorInfo {
    info("NOTICE", "00000", message)
}

fn info(severity: &str, code: &str, message: String) -> ErrorInfo {
    let mut info = ErrorInfo::new(severity.to_owned(), code.to_owned(), message);
    info.severity_nonlocalized = Some(severity.to_owned());
    info
}

/// The error that a question without an answer is; the message is the one that HTTP gives.
pub(super) fn of_query(why: &QueryError) -> PgWireError {
    error(code(why), refused(why).detail)
}

fn code(why: &QueryError) -> &'static str {
    match why {
        QueryError::Invalid(text) => code_of_invalid(text),
        QueryError::NotReadOnly(_) => "25006",
        QueryError::UnknownName(_) => "42703",
        QueryError::Timeout(_) | QueryError::Cancelled => QUERY_CANCELED,
        QueryError::TooLarge(text) if text.contains("memory") => "53200",
        QueryError::TooLarge(_) => LIMIT_EXCEEDED,
        QueryError::Failed(_) => "22000",
        QueryError::Unavailable(_) => "58000",
        QueryError::Internal(_) => "XX000",
    }
}

/// The planner says in words what is wrong.
fn code_of_invalid(text: &str) -> &'static str {
    let has = |part: &str| text.contains(part);
    if text.starts_with("SQL error") || has("statement") {
        SYNTAX_ERROR
    } else if has("No field named") {
        "42703"
    } else if has("table") && has("not found") {
        "42P01"
    } else if has("Invalid function") || has("No function matches") {
        "42883"
    } else if has("Ambiguous reference") {
        "42702"
    } else if has("must be in GROUP BY") || has("must appear in the GROUP BY") {
        "42803"
    } else if has("type") || has("coerce") || has("Cast error") || has("cast") {
        "42804"
    } else {
        "42000"
    }
}
