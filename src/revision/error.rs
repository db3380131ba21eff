//! Why rows were not changed.

use crate::lake::LakeError;

/// Why rows were not changed. Nothing of the revision counts then.
#[derive(Debug, thiserror::Error)]
pub enum RevisionError {
    /// The lake cannot be read or written.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// No revision of that id counts.
    #[error("there is no revision `{id}`: `revise list` names those that there are")]
    Unknown {
        /// The id that was given.
        id: String,
    },
    /// Rows of the revision were changed again.
    #[error(
        "{rows} rows of revision `{id}` were changed again since: roll back the later revisions \
         first"
    )]
    ChangedSince {
        /// The revision.
        id: String,
        /// How many of its rows.
        rows: u64,
    },
    /// Others rewrote the files or began a revision again and again.
    #[error("others changed the same files meanwhile, {attempts} times: try again")]
    Overtaken {
        /// How often it was tried.
        attempts: u32,
    },
    /// A request that says nothing, or what cannot be.
    #[error("{0}")]
    Invalid(String),
}

impl RevisionError {
    /// Rows or columns that are not as the tables declare them: our own fault.
    pub(super) fn misfit(why: impl ToString) -> Self {
        let what = "revising rows of `calls`".to_owned();
        Self::Lake(LakeError::Internal { what, why: why.to_string() })
    }
}

impl From<arrow::error::ArrowError> for RevisionError {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::misfit(error)
    }
}
