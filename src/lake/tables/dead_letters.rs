//! `dead_letters`: what could not become a row of `calls`, with its reason and its source position.
//!
//! Partitioned by the UTC date of `received_at`. A duplicate is kept by its lineage only, a
//! conflict with its content. A replay adds a row with `replayed_at`; the first row stays as it
//! was.

use crate::event::{Lineage, RejectionCode};
use crate::lake::cell::Cell;
use crate::lake::column::{Column, columns};
use crate::lake::rows::Row;
use crate::time::Timestamp;

/// One row of `dead_letters`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterRow {
    /// Where it was read.
    pub lineage: Lineage,
    /// The id of the source partition, with the topic's incarnation.
    pub app_id: String,
    /// When the log accepted it; the partition is its date.
    pub received_at: Timestamp,
    /// When tokenmeter wrote this row.
    pub ingested_at: Timestamp,
    /// Why.
    pub reason: RejectionCode,
    /// Why, for a person; it never repeats free text of the event.
    pub message: String,
    /// Whose event ids these are.
    pub namespace: String,
    /// The sender's instance, when it could be read.
    pub source: Option<String>,
    /// The sender's id, when it could be read.
    pub event_id: Option<String>,
    /// The tenant, when the credential asserts one.
    pub tenant: Option<String>,
    /// When the call was completed, when that could be read.
    pub occurred_at: Option<Timestamp>,
    /// The identity, when there is one.
    pub identity_hash: Option<[u8; 16]>,
    /// Of the decoded event, or of the bytes where nothing could be decoded.
    pub content_hash: [u8; 16],
    /// The size as received.
    pub size_bytes: u64,
    /// The allow-listed part of the event as JSON, when it parsed at all.
    pub event: Option<String>,
    /// What an operator needs to judge it by: the envelope's assertions, as JSON.
    pub sender: Option<String>,
    /// The bytes as received; only by an option that says it will hold prompts.
    pub raw: Option<Vec<u8>>,
    /// When it was replayed; `None` in the row of the rejection itself.
    pub replayed_at: Option<Timestamp>,
}

impl Row for DeadLetterRow {
    fn columns() -> &'static [Column<Self>] {
        COLUMNS
    }

    fn date(&self) -> Option<i32> {
        Some(self.received_at.days())
    }
}

columns! {
    pub(super) COLUMNS of DeadLetterRow;

    /// The Kafka topic, or the spool's name, that it was read from.
    source_topic: Text.required() => |row| &row.lineage.topic;
    /// The partition it was read from; 0 for the spool.
    source_partition: Int.required() => |row| row.lineage.partition;
    /// The offset of its message.
    source_offset: Long.required().delta() => |row| row.lineage.offset;
    /// Its place in a message that holds several.
    source_index: Long.required().delta() => |row| row.lineage.index;
    /// When the log accepted it: Kafka's record timestamp, or the spool's acceptance time.
    received_at: Time.required().delta() => |row| row.received_at;
    /// When tokenmeter wrote this row.
    ingested_at: Time.required().delta() => |row| row.ingested_at;
    /// The stable code of the rejection.
    reason: Text.required() => |row| row.reason.name();
    /// What was wrong, where, and what was expected; for bytes that did not parse, the position.
    message: Text.required().many() => |row| &row.message;
    /// Whose event ids these are: the credential's owner, or the configured source's name.
    namespace: Text.required() => |row| &row.namespace;
    /// Which gateway or SDK instance sent it, when that could be read.
    source: Text => |row| &row.source;
    /// The sender's id of the event, when it could be read.
    event_id: Text.delta() => |row| &row.event_id;
    /// The tenant, when the credential asserts one.
    tenant: Text => |row| &row.tenant;
    /// When the call was completed, when that could be read.
    occurred_at: Time.delta() => |row| row.occurred_at;
    /// The identity, when the event has one.
    identity_hash: Bytes.plain() => |row| row.identity_hash.as_ref().map(|hash| hash.as_slice());
    /// 16 bytes over the decoded event, or over the bytes where nothing could be decoded.
    content_hash: Bytes.required().plain() => |row| row.content_hash.as_slice();
    /// The size as received.
    size_bytes: Long.required().unit("bytes") => |row| row.size_bytes;
    /// The allow-listed, scrubbed part of the event as JSON, when it parsed at all.
    event: Text.plain() => |row| &row.event;
    /// What the front door asserted about the sender, as JSON.
    sender: Text.many() => |row| &row.sender;
    /// The bytes as received; only where an option says so, since they may hold a prompt.
    raw: Bytes.plain() => |row| row.raw.as_deref();
    /// When the letter of this place was replayed; NULL in the row of the rejection itself.
    replayed_at: Time.delta() => |row| row.replayed_at;
    /// The source partition's id: of two topics of one name, it tells which.
    source_app_id: Text => |row| &row.app_id;
}
