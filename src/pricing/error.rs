//! What is wrong with a price book: which file, which line, what was expected.

use std::fmt;

/// An unreadable or ambiguous price book. It is never retryable: somebody has to mend the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct BookError {
    /// The layer: a file's name, or `built-in/openai.toml`.
    pub layer: String,
    /// The line, counted from 1; `None` where the book as a whole is wrong.
    pub line: Option<usize>,
    /// What is wrong and what was expected.
    pub message: String,
}

impl BookError {
    pub(super) fn new(layer: &str, line: Option<usize>, message: impl Into<String>) -> Self {
        Self { layer: layer.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for BookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.layer, self.message),
            None => write!(f, "{}: {}", self.layer, self.message),
        }
    }
}
