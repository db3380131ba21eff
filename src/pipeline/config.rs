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
    /// The memory in which the identities of counted calls are kept: about 40 to 75 bytes each of
    /// the recent dates, 6 of older ones. Where even that does not fit, the oldest dates are read
    /// anew for each batch: exact, but slow, and told by `tokenmeter_identity_dates_let_go`.
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
            identity_bytes_max: ByteSize(512 << 20),
            max_ahead: Span::seconds(5 * 60),
            max_age: Span::seconds(35 * 86_400),
        }
    }
}
