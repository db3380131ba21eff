//! What the pipeline is told.

use serde::Deserialize;

use crate::setting::{ByteSize, Span};

/// How events are admitted, batched and committed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PipelineConfig {
    /// The longest that a row waits for its commit; unset: `1s` on a local path, `5s` on an object
    /// store.
    pub flush_interval: Option<Span>,
    /// Rows that end a batch.
    pub flush_rows: usize,
    /// Bytes of messages that end a batch: the bound on what is in flight.
    pub flush_bytes: ByteSize,
    /// The memory for the identities of counted calls. The latest are kept in it; all others take
    /// 33 bytes each below `data_dir`, and a quarter of a byte of memory.
    pub identity_bytes_max: ByteSize,
    /// An event may lie this far ahead of the moment its log accepted it.
    pub max_ahead: Span,
    /// An event may lie this far behind the moment its log accepted it.
    pub max_age: Span,
}

impl Default for PipelineConfig {
    fn default() -> Self {
        Self {
            flush_interval: None,
            flush_rows: 65_536,
            flush_bytes: ByteSize(64 << 20),
            identity_bytes_max: ByteSize(64 << 20),
            max_ahead: Span::seconds(5 * 60),
            max_age: Span::seconds(35 * 86_400),
        }
    }
}
