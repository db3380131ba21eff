//! Why a query has no answer, each with a stable code.

use datafusion::error::DataFusionError;

use crate::lake::LakeError;
use crate::setting::Span;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The statement is not understood: syntax, or a name that is not there.
    #[error("{0}")]
    Invalid(String),
    /// The statement does more than read.
    #[error("{0} is not allowed: one SELECT, SHOW TABLES, SHOW COLUMNS, DESCRIBE or EXPLAIN is")]
    NotReadOnly(String),
    /// A bound parameter, or a parameter of a question, is wrong.
    #[error("{0}")]
    Parameter(String),
    /// It ran longer than allowed.
    #[error("the query did not end within {} ms", .0.0.as_millis())]
    Timeout(Span),
    /// The statement, or its answer, is larger than allowed.
    #[error("{0}")]
    TooLarge(String),
    /// It needs more memory than queries may use.
    #[error("the query needs more memory than queries may use")]
    OutOfMemory,
    /// It failed while it ran.
    #[error("the query failed while it ran{0}")]
    Failed(String),
    /// The lake is not to be had at the moment.
    #[error("the lake is not to be had at the moment")]
    Unavailable(#[source] LakeError),
    /// A fault of ours.
    #[error("the query could not be run: {0}")]
    Internal(String),
}

impl QueryError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "sql_invalid",
            Self::NotReadOnly(_) => "not_read_only",
            Self::Parameter(_) => "parameter_invalid",
            Self::Timeout(_) => "timeout",
            Self::TooLarge(_) => "too_large",
            Self::OutOfMemory => "out_of_memory",
            Self::Failed(_) => "sql_failed",
            Self::Unavailable(_) => "unavailable",
            Self::Internal(_) => "internal",
        }
    }

    /// Whether the same query may succeed later without anybody acting.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Timeout(_) | Self::OutOfMemory | Self::Unavailable(_))
    }

    /// An error of planning: it quotes the statement, never a row.
    pub(super) fn planning(error: &DataFusionError) -> Self {
        match error.find_root() {
            DataFusionError::ResourcesExhausted(_) => Self::OutOfMemory,
            _ => Self::Invalid(first_line(&error.strip_backtrace())),
        }
    }

    /// An error of running. It may quote a row: only who may see every row is told.
    pub(super) fn running(error: &DataFusionError, tells: bool) -> Self {
        match error.find_root() {
            DataFusionError::ResourcesExhausted(_) => Self::OutOfMemory,
            _ if tells => Self::Failed(format!(": {}", first_line(&error.strip_backtrace()))),
            _ => Self::Failed(String::new()),
        }
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
