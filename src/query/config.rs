//! What a query may use.

use serde::Deserialize;

use crate::setting::{ByteSize, Span};

/// Limits of queries.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueryConfig {
    /// The memory that all queries together may use for sorting, grouping and joining.
    pub memory_max: ByteSize,
    /// The disk space that they may spill to.
    pub spill_max: ByteSize,
    /// The longest that a query may run; a request may ask for less.
    pub timeout: Span,
    /// The most rows of an answer; a request may ask for less.
    pub rows_max: usize,
    /// The most bytes of an answer, as Arrow batches.
    pub answer_bytes_max: ByteSize,
    /// The longest statement.
    pub sql_bytes_max: ByteSize,
}

impl Default for QueryConfig {
    fn default() -> Self {
        Self {
            memory_max: ByteSize(512 << 20),
            spill_max: ByteSize(4 << 30),
            timeout: Span::seconds(60),
            rows_max: 100_000,
            answer_bytes_max: ByteSize(256 << 20),
            sql_bytes_max: ByteSize(32 << 10),
        }
    }
}
