//! What every source promises the pipeline, and every log promises the front doors.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::time::Timestamp;

/// Who may have written a partition, which decides how its messages are read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Only our own front doors: messages are envelopes.
    Envelopes,
    /// Others: messages are raw events of the configured source with this name.
    Raw {
        /// The namespace of its identities.
        namespace: String,
    },
}

/// One partition of a source.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Partition {
    /// The id under which the lake keeps the next offset: pipeline, cluster, topic, its incarnation
    /// and partition, or the spool's UUID.
    pub app_id: String,
    /// The Kafka topic, or the spool's name.
    pub topic: String,
    /// The partition; 0 for the spool.
    pub number: i32,
    /// Who writes it.
    pub origin: Origin,
}

/// One message of a partition.
#[derive(Debug, Clone)]
pub struct Message {
    /// Where it was read.
    pub partition: Arc<Partition>,
    /// Its offset.
    pub offset: i64,
    /// When the log accepted it: Kafka's record timestamp, or the spool's acceptance time.
    pub accepted_at: Timestamp,
    /// The record headers; a key may come twice.
    pub headers: Vec<(String, Bytes)>,
    /// The value; `None` is a tombstone.
    pub payload: Option<Bytes>,
}

/// Where to read a partition from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The first message that is there.
    Earliest,
    /// This offset, or an error when it has expired.
    Offset(i64),
}

/// What a source had to say.
#[derive(Debug)]
pub enum Step {
    /// Messages, in offset order within each partition.
    Messages(Vec<Message>),
    /// Partitions that are ours now. None of their messages comes before `seek` was called.
    Assigned(Vec<Arc<Partition>>),
    /// Partitions that are no longer ours: drop what is in flight.
    Revoked(Vec<Arc<Partition>>),
    /// Nothing within the time given.
    Idle,
}

/// How far a partition reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The first offset that is still there.
    pub low: i64,
    /// The offset after the last one.
    pub high: i64,
}

/// What went wrong at a source.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The world may recover: wait and try again.
    #[error("{what}: {why}")]
    Retryable {
        /// What was tried, and on which topic or file.
        what: String,
        /// The underlying reason.
        why: String,
    },
    /// An operator must act; the message names what to do.
    #[error("{0}")]
    Fatal(String),
}

/// Where raw events are read from.
#[async_trait]
pub trait Source: Send + std::fmt::Debug {
    /// Waits up to `wait` for up to `limit` messages, or for a change of assignment.
    ///
    /// # Errors
    /// [`SourceError::Fatal`] when reading on would lose events: an expired offset, a recreated
    /// topic, another spool.
    async fn next(&mut self, limit: usize, wait: Duration) -> Result<Step, SourceError>;

    /// Says where to read an assigned partition from.
    ///
    /// # Errors
    /// [`SourceError::Fatal`] when the offset is not there any more.
    async fn seek(&mut self, partition: &Partition, start: Start) -> Result<(), SourceError>;

    /// Tells the source that everything below `next` is durable in the lake. Kafka takes it as a
    /// hint for lag tools; the spool deletes those rows.
    ///
    /// # Errors
    /// [`SourceError::Retryable`]; nothing is lost when it fails.
    async fn committed(&mut self, partition: &Partition, next: i64) -> Result<(), SourceError>;

    /// Stops or resumes fetching while the sink stalls; membership and polling go on.
    ///
    /// # Errors
    /// [`SourceError::Retryable`].
    fn pause(&mut self, paused: bool) -> Result<(), SourceError>;

    /// How far a partition reaches, as last known; for lag and idleness.
    fn extent(&self, partition: &Partition) -> Option<Extent>;

    /// Leaves: gives up partitions and connections.
    async fn close(&mut self);
}

/// One entry for a log that front doors write.
#[derive(Debug, Clone)]
pub struct LogEntry {
    /// The message key: the event id.
    pub key: String,
    /// The value: an envelope's bytes.
    pub payload: Bytes,
    /// When the door accepted it.
    pub accepted_at: Timestamp,
}

/// What a log says about entries that are durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// How many entries.
    pub entries: usize,
}

/// A durable log that front doors write and the pipeline reads.
#[async_trait]
pub trait EventLog: Send + Sync + std::fmt::Debug {
    /// Appends entries and returns once they are durable: fsynced, or acknowledged by Kafka. Many
    /// callers share one fsync.
    ///
    /// # Errors
    /// [`SourceError::Retryable`] when nothing may have been taken: answer 503 and let the sender
    /// try again.
    async fn append(&self, entries: Vec<LogEntry>) -> Result<Appended, SourceError>;
}

/// A topic that others read: each message replaces the one of the same key.
#[async_trait]
pub trait Publisher: Send + Sync + std::fmt::Debug {
    /// Publishes a message and returns once it is acknowledged. A repetition may be published
    /// again: consumers keep the highest revision of a key.
    ///
    /// # Errors
    /// [`SourceError::Retryable`].
    async fn publish(&self, key: &str, payload: Bytes) -> Result<(), SourceError>;
}
