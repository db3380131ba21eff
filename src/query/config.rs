//! What a query may use.

use serde::Deserialize;

use crate::setting::{ByteSize, Span};

/// The `[query]` part of the configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueryConfig {
    /// Processes of a server that run queries, and so the queries that run at once; more wait. One
    /// asker has half of them at most. 0: in the server's own process, which a hostile statement
    /// can end.
    pub workers: usize,
    /// Memory that a query may hold for sorting, joining and grouping; what is more spills.
    pub memory: ByteSize,
    /// Memory that a worker may have at all; one that wants more is ended.
    pub worker_memory: ByteSize,
    /// Disk space that a query may spill to.
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
            workers: 4,
            memory: ByteSize(512 << 20),
            worker_memory: ByteSize(1 << 30),
            spill_bytes_max: ByteSize(4 << 30),
            timeout: Span::seconds(60),
            rows_max: 100_000,
            answer_bytes_max: ByteSize(64 << 20),
            statement_bytes_max: ByteSize(64 << 10),
            threads: 2,
        }
    }
}
