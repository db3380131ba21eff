//! What can go wrong with keys themselves.

/// Why a key could not be made, changed or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// What was asked for makes no sense; nothing was changed.
    #[error("{0}")]
    Invalid(String),
    /// No key has this id.
    #[error("no key has the id `{0}`")]
    Unknown(String),
    /// The `control` table is not to be had; retryable.
    #[error("the API keys cannot be read or written: {0}")]
    Store(String),
}
