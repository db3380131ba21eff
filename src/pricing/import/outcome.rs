//! What an import answers: a book file and what became of the map, or why it cannot be read.

use super::write::{self, Block};
use crate::pricing::Report;
use crate::time::Timestamp;

/// A published map as a book file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The book file: TOML, to be used as a layer.
    pub text: String,
    /// How many price rows it holds.
    pub rows: usize,
    /// How many models they are for.
    pub models: usize,
    /// What was left out, merged or rounded.
    pub report: Report,
}

/// A map that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {map}: {message}")]
pub struct ImportError {
    map: &'static str,
    message: String,
}

impl ImportError {
    pub(super) fn new(map: &'static str, message: impl Into<String>) -> Self {
        Self { map, message: message.into() }
    }
}

/// What a map is called, and how many tokens its amounts are for.
pub(super) struct Source {
    pub name: &'static str,
    pub per: u64,
}

impl Import {
    pub(super) fn new(
        blocks: &[Block],
        source: &Source,
        observed: Timestamp,
        report: Report,
    ) -> Self {
        let rows = blocks.iter().map(Block::rates).sum();
        let mut models: Vec<_> = blocks.iter().map(|it| (&it.provider, &it.names)).collect();
        models.sort_unstable();
        models.dedup();
        let text = write::book(blocks, observed, source);
        Self { text, rows, models: models.len(), report }
    }
}
