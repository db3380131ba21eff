//! What a query may use.

use serde::Deserialize;

use crate::setting::{ByteSize, Span};

/// The `[query]` part of the configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueryConfig {
    /// Memory that all queries together may hold for sorting, joining and grouping.
    pub memory: ByteSize,
    /// Disk space in the temporary directory that they may spill to.
    pub spill_bytes_max: ByteSize,
    /// The longest a query may take.
    pub timeout: Span,
    /// The most rows of an answer; more are cut off, and the answer says so.
    pub rows_max: usize,
    /// The most bytes of an answer, in memory.
    pub answer_bytes_max: ByteSize,
    /// The longest statement.
    pub statement_bytes_max: ByteSize,
    /// Threads that one query may use.
    pub threads: usize,
}

impl Default for QueryConfig {
    fn default() -> Self {
        Self {
            memory: ByteSize(512 << 20),
            spill_bytes_max: ByteSize(4 << 30),
            timeout: Span::seconds(60),
            rows_max: 100_000,
            answer_bytes_max: ByteSize(64 << 20),
            statement_bytes_max: ByteSize(64 << 10),
            threads: 2,
        }
    }
}
