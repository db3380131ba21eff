//! Why a question was not answered: a stable code each.

use crate::lake::LakeError;

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The statement cannot be read, planned or run as it is.
    #[error("{0}")]
    Invalid(String),
    /// It would do more than read.
    #[error("only reading statements are answered: {0}")]
    NotReadOnly(String),
    /// A name that is not there; the nearest one is named.
    #[error("{0}")]
    UnknownName(String),
    /// It took too long.
    #[error(
        "the query took longer than {millis} ms; narrow it by `date`, or raise `query.timeout`"
    )]
    Timeout {
        /// The limit.
        millis: u128,
    },
    /// It needs more memory than it may have, or its answer is too large.
    #[error("{0}")]
    TooLarge(String),
    /// The caller may not ask this.
    #[error("{0}")]
    Forbidden(String),
    /// The tables cannot be read now.
    #[error(transparent)]
    Lake(#[from] LakeError),
}

impl QueryError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "sql_invalid",
            Self::NotReadOnly(_) => "not_read_only",
            Self::UnknownName(_) => "unknown_name",
            Self::Timeout { .. } => "query_timeout",
            Self::TooLarge(_) => "query_too_large",
            Self::Forbidden(_) => "forbidden",
            Self::Lake(_) => "lake_unavailable",
        }
    }
}
