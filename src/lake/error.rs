//! What can go wrong with the lake: the world's faults, never an event's.
//!
//! Each error says whether waiting helps; none leaves open whether something was committed.

use std::error::Error;

use delta_kernel::KernelError;

/// Why the lake could not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LakeError {
    /// The storage may recover: wait and try again. Nothing was committed.
    #[error("{what}: {why}")]
    Retryable {
        /// What was tried, and on which table or file.
        what: String,
        /// The underlying reason.
        why: String,
    },
    /// No space is left. The file that was being written is discarded; wait, and write a new one.
    #[error("{what}: no space left on the device")]
    NoSpace {
        /// What was tried, and on which table or file.
        what: String,
    },
    /// An fsync failed earlier, so nothing that this process writes can be trusted to be durable.
    #[error("{what}: writes are refused until a restart, since an fsync failed: {why}")]
    WritesRefused {
        /// What was tried.
        what: String,
        /// What the fsync said.
        why: String,
    },
    /// A log entry or data file is damaged.
    #[error("table `{table}` is damaged: `{file}`: {why}")]
    Damaged {
        /// The table.
        table: String,
        /// The damaged file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// The table is not one of ours, or has a property or schema that we must not write to.
    #[error("table `{table}` cannot be used: {why}")]
    Unusable {
        /// The table.
        table: String,
        /// What is wrong, and what was expected.
        why: String,
    },
    /// The configuration names no usable place.
    #[error("`lake.url` = `{url}`: {why}")]
    Location {
        /// What was configured.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// Rows that do not fit their schema, or a protocol step that was left out: our own fault.
    #[error("{what}: {why}")]
    Internal {
        /// What was tried.
        what: String,
        /// What does not fit.
        why: String,
    },
}

impl LakeError {
    /// Whether the same may succeed later without anybody acting.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Retryable { .. } | Self::NoSpace { .. })
    }

    /// Whether it is one table that must not be used, while the others may be.
    pub const fn is_of_one_table(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Unusable { .. })
    }

    /// Sorts an error of the kernel by what the caller can do about it.
    pub(super) fn from_kernel(what: impl Into<String>, error: KernelError) -> Self {
        let what = what.into();
        match error {
            KernelError::Backtraced { source, .. } => Self::from_kernel(what, *source),
            KernelError::ObjectStore(error) => Self::from_store(what, error),
            KernelError::IOError(error) => Self::from_chain(what, &error),
            KernelError::FileNotFound(path) => {
                Self::Retryable { what, why: format!("`{path}` was not found") }
            }
            hole if is_hole(&hole) => Self::Retryable { what, why: hole.to_string() },
            other if comes_from_storage(&other) => Self::from_chain(what, &other),
            other => Self::Internal { what, why: other.to_string() },
        }
    }

    /// Sorts an error of the object store.
    pub(super) fn from_store(what: impl Into<String>, error: object_store::Error) -> Self {
        Self::from_chain(what.into(), &error)
    }

    fn from_chain(what: String, error: &(dyn Error + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(refused) = error.downcast_ref::<super::durable::Refused>() {
                return Self::WritesRefused { what, why: refused.to_string() };
            }
            if let Some(io) = error.downcast_ref::<std::io::Error>()
                && io.kind() == std::io::ErrorKind::StorageFull
            {
                return Self::NoSpace { what };
            }
            cause = error.source();
        }
        Self::Retryable { what, why: spelled_out(error) }
    }

    /// Rows that do not fit their schema.
    pub(super) fn internal(what: impl Into<String>, why: impl ToString) -> Self {
        Self::Internal { what: what.into(), why: why.to_string() }
    }
}

/// Whether the log seems to have holes: a listing that is behind, or was made while others commit,
/// looks like that.
pub(super) fn is_hole(error: &KernelError) -> bool {
    match error {
        KernelError::Backtraced { source, .. } => is_hole(source),
        KernelError::EmptyLog
        | KernelError::MissingVersion(_)
        | KernelError::MissingMetadata
        | KernelError::MissingProtocol
        | KernelError::MissingMetadataAndProtocol
        | KernelError::InvalidLogSegment(_)
        | KernelError::InvalidCheckpoint(_) => true,
        _ => false,
    }
}

/// Whether a file of the log is not there any more.
pub(super) fn is_gone(error: &KernelError) -> bool {
    match error {
        KernelError::Backtraced { source, .. } => is_gone(source),
        KernelError::FileNotFound(_)
        | KernelError::ObjectStore(object_store::Error::NotFound { .. }) => true,
        _ => false,
    }
}

/// Whether an error of the storage is behind it, such as a checkpoint that could not be fetched.
fn comes_from_storage(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<object_store::Error>() || error.is::<std::io::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The error with its causes, outermost first.
fn spelled_out(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
