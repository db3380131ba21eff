//! Why a query has no answer, each with a stable code.

use std::time::Duration;

use datafusion::error::DataFusionError;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The statement is not understood: syntax, or a name that is not there.
    #[error("{0}")]
    Invalid(String),
    /// The statement does more than read.
    #[error("{0} is not allowed: send one SELECT, SHOW TABLES, SHOW COLUMNS, DESCRIBE or EXPLAIN")]
    NotReadOnly(String),
    /// A name that is not there; the nearest one is named.
    #[error("{0}")]
    UnknownName(String),
    /// It ran longer than allowed.
    #[error(
        "the query took longer than {} ms: narrow it by `date`, or raise `query.timeout`",
        .0.as_millis()
    )]
    Timeout(Duration),
    /// The statement, its answer or the memory that it needs is larger than allowed.
    #[error("{0}")]
    TooLarge(String),
    /// It failed while it ran.
    #[error("the query failed while it ran{0}")]
    Failed(String),
    /// Somebody ended it.
    #[error("the query was cancelled")]
    Cancelled,
    /// The tables cannot be read now; why is for the log.
    #[error("the tables cannot be read now")]
    Unavailable(String),
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
            Self::UnknownName(_) => "unknown_name",
            Self::Timeout(_) => "timeout",
            Self::TooLarge(_) => "too_large",
            Self::Failed(_) => "sql_failed",
            Self::Cancelled => "cancelled",
            Self::Unavailable(_) => "unavailable",
            Self::Internal(_) => "internal",
        }
    }

    /// Whether the same query may succeed later without anybody acting.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Timeout(_) | Self::Unavailable(_))
    }

    pub(super) fn out_of_memory() -> Self {
        let message = "the query needs more memory than it may have: narrow it by `date`";
        Self::TooLarge(message.to_owned())
    }

    /// An error of planning: it quotes the statement, never a row.
    pub(super) fn planning(error: &DataFusionError) -> Self {
        match error.find_root() {
            DataFusionError::ResourcesExhausted(_) => Self::out_of_memory(),
            _ => Self::Invalid(first_line(&error.strip_backtrace())),
        }
    }

    /// An error of running. It may quote a row: only who may see every row is told.
    pub(super) fn running(error: &DataFusionError, tells: bool) -> Self {
        match error.find_root() {
            DataFusionError::ResourcesExhausted(_) => Self::out_of_memory(),
            _ if tells => Self::Failed(format!(": {}", first_line(&error.strip_backtrace()))),
            _ => Self::Failed(String::new()),
        }
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
