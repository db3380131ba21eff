//! The consuming end: a member of the group, reading from where the lake says.
//!
//! The group decides which partitions are ours; nothing is fetched of them before the pipeline has
//! said where each begins. Kafka's own committed offsets are a hint for lag tools only.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{
    BorrowedMessage, Headers, Message as _, OwnedMessage, Timestamp as RecordTime,
};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::client;
use crate::source::config::KafkaConfig;
use crate::source::{Extent, Message, Origin, Partition, Source, SourceError, Start, Step};
use crate::time::Timestamp;

/// How long a broker may take to say how far a partition reaches.
const EXTENT_WITHIN: Duration = Duration::from_secs(5);
/// Bytes that one step brings at most, beyond its first message.
const STEP_BYTES_MAX: usize = 8 << 20;

type Place = (String, i32);

/// A change of assignment, as the group's callback reports it.
#[derive(Debug)]
enum Change {
    Assigned(Vec<Place>),
    Revoked(Vec<Place>),
}

/// Collects changes of assignment.
#[derive(Debug, Default)]
struct Group {
    changes: Mutex<VecDeque<Change>>,
    changed: Notify,
}

impl ClientContext for Group {}

impl ConsumerContext for Group {
    /// Says who has what. An assignment takes effect when the pipeline has said where to begin; a
    /// revocation at once.
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        event: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let elements = partitions.elements();
        let places = elements.iter().map(|part| (part.topic().to_owned(), part.partition()));
        let change = if event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            Change::Assigned(places.collect())
        } else {
            if let Err(error) = consumer.unassign() {
                tracing::warn!(%error, "giving up partitions");
            }
            Change::Revoked(places.collect())
        };
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push_back(change);
        self.changed.notify_one();
    }
}

/// A partition that is ours.
#[derive(Debug)]
struct Held {
    partition: Arc<Partition>,
    extent: Extent,
    /// Where it begins; `None` until the pipeline has said so.
    start: Option<i64>,
}

/// A member of the consumer group.
pub struct KafkaSource {
    consumer: StreamConsumer<Group>,
    /// Topic to origin.
    origins: BTreeMap<String, Origin>,
    /// The first part of every partition's id.
    app_prefix: String,
    incarnation: String,
    held: BTreeMap<Place, Held>,
    paused: bool,
}

impl std::fmt::Debug for KafkaSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaSource").field("held", &self.held).finish_non_exhaustive()
    }
}

impl KafkaSource {
    /// Joins the group.
    pub(super) fn connect(config: &KafkaConfig, cluster: &str) -> Result<Self, SourceError> {
        let mut settings = client::settings(config);
        settings.set("group.id", &config.group);
        settings.set("enable.auto.commit", "false");
        settings.set("enable.auto.offset.store", "false");
        settings.set("auto.offset.reset", "error");
        settings.set("partition.assignment.strategy", "range,roundrobin");
        settings.set("fetch.wait.max.ms", "50");
        settings.set("queued.max.messages.kbytes", "65536");
        let settings = client::with_properties(settings, config);
        let consumer: StreamConsumer<Group> = settings
            .create_with_context(Group::default())
            .map_err(|error| client::fatal(&error))?;
        let mut origins: BTreeMap<String, Origin> = config
            .raw_topics
            .iter()
            .map(|raw| (raw.topic.clone(), Origin::Raw { namespace: raw.namespace.clone() }))
            .collect();
        origins.insert(config.accepted_topic.clone(), Origin::Envelopes);
        let topics: Vec<&str> = origins.keys().map(String::as_str).collect();
        consumer.subscribe(&topics).map_err(|error| client::fatal(&error))?;
        Ok(Self {
            consumer,
            origins,
            app_prefix: format!("tokenmeter/kafka/{cluster}"),
            incarnation: config.incarnation.clone(),
            held: BTreeMap::new(),
            paused: false,
        })
    }

    fn change(&mut self) -> Result<Option<Step>, SourceError> {
        let changes = &self.consumer.context().changes;
        let change = changes.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match change {
            None => Ok(None),
            Some(Change::Revoked(places)) => {
                let gone = places.iter().filter_map(|place| self.held.remove(place));
                Ok(Some(Step::Revoked(gone.map(|held| held.partition).collect())))
            }
            Some(Change::Assigned(places)) => {
                let mut partitions = Vec::new();
                for place in places {
                    let held = self.hold(&place)?;
                    partitions.push(held.partition.clone());
                    self.held.insert(place, held);
                }
                Ok(Some(Step::Assigned(partitions)))
            }
        }
    }

    fn hold(&self, (topic, number): &Place) -> Result<Held, SourceError> {
        let origin = self.origins.get(topic).cloned().unwrap_or(Origin::Envelopes);
        let (low, high) = tokio::task::block_in_place(|| {
            self.consumer.fetch_watermarks(topic, *number, EXTENT_WITHIN)
        })
        .map_err(|error| {
            client::retryable(format!("asking how far `{topic}`/{number} reaches"), &error)
        })?;
        let app_id = format!("{}/{topic}/{}/{number}", self.app_prefix, self.incarnation);
        let partition = Partition { app_id, topic: topic.clone(), number: *number, origin };
        Ok(Held { partition: Arc::new(partition), extent: Extent { low, high }, start: None })
    }

    /// Takes the assignment into effect once every partition has its beginning.
    fn assign_when_complete(&self) -> Result<(), SourceError> {
        let mut list = TopicPartitionList::new();
        for ((topic, number), held) in &self.held {
            let Some(start) = held.start else { return Ok(()) };
            list.add_partition_offset(topic, *number, Offset::Offset(start))
                .map_err(|error| client::retryable("assigning", &error))?;
        }
        self.consumer
            .assign(&list)
            .and_then(|()| if self.paused { self.consumer.pause(&list) } else { Ok(()) })
            .map_err(|error| client::retryable("assigning", &error))
    }

    fn message(&mut self, record: &OwnedMessage) -> Option<Message> {
        let place = (record.topic().to_owned(), record.partition());
        let held = self.held.get_mut(&place)?;
        held.extent.high = held.extent.high.max(record.offset().saturating_add(1));
        let millis = match record.timestamp() {
            RecordTime::NotAvailable => None,
            RecordTime::CreateTime(millis) | RecordTime::LogAppendTime(millis) => Some(millis),
        };
        let headers = record.headers().map(|headers| {
            let all = headers.iter();
            all.map(|header| {
                (header.key.to_owned(), Bytes::copy_from_slice(header.value.unwrap_or_default()))
            })
            .collect()
        });
        Some(Message {
            partition: held.partition.clone(),
            offset: record.offset(),
            accepted_at: millis.and_then(Timestamp::from_millis).unwrap_or(Timestamp::EPOCH),
            headers: headers.unwrap_or_default(),
            payload: record.payload().map(Bytes::copy_from_slice),
        })
    }

    /// Messages of partitions that are ours. An error after messages waits for the next call, which
    /// meets it again.
    fn taken(
        &mut self,
        records: Vec<Result<OwnedMessage, KafkaError>>,
    ) -> Result<Vec<Message>, SourceError> {
        let mut messages = Vec::with_capacity(records.len());
        for record in records {
            match record {
                Ok(record) => messages.extend(self.message(&record)),
                Err(error) => match error.rdkafka_error_code() {
                    Some(
                        RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::AutoOffsetReset,
                    ) => {
                        return Err(expired(&error));
                    }
                    _ if messages.is_empty() => {
                        return Err(client::retryable("consuming from Kafka", &error));
                    }
                    _ => tracing::debug!(%error, "consuming from Kafka"),
                },
            }
        }
        self.refresh_extents();
        Ok(messages)
    }

    fn refresh_extents(&mut self) {
        for ((topic, number), held) in &mut self.held {
            // The consumer knows this from its fetches; nothing is asked of the broker.
            let zero = Duration::from_millis(0);
            if let Ok((low, high)) = self.consumer.fetch_watermarks(topic, *number, zero) {
                held.extent = Extent { low, high: held.extent.high.max(high) };
            }
        }
    }
}

#[async_trait]
impl Source for KafkaSource {
    async fn next(&mut self, limit: usize, wait: Duration) -> Result<Step, SourceError> {
        let deadline = Instant::now() + wait;
        loop {
            if let Some(step) = self.change()? {
                return Ok(step);
            }
            let mut records = Vec::new();
            let mut bytes = 0;
            {
                let consumer = &self.consumer;
                tokio::select! {
                    biased;
                    () = consumer.context().changed.notified() => {}
                    record = consumer.recv() => records.push(detached(record)),
                    () = tokio::time::sleep_until(deadline) => return Ok(Step::Idle),
                }
                while !records.is_empty() && records.len() < limit && bytes < STEP_BYTES_MAX {
                    match consumer.recv().now_or_never() {
                        Some(record) => {
                            bytes += record.as_ref().map_or(0, |record| record.payload_len());
                            records.push(detached(record));
                        }
                        None => break,
                    }
                }
            }
            let messages = self.taken(records)?;
            if !messages.is_empty() {
                return Ok(Step::Messages(messages));
            }
        }
    }

    async fn seek(&mut self, partition: &Partition, start: Start) -> Result<(), SourceError> {
        let place = (partition.topic.clone(), partition.number);
        let complete = self.held.values().all(|held| held.start.is_some());
        let Some(held) = self.held.get_mut(&place) else { return Ok(()) };
        let offset = match start {
            Start::Earliest => held.extent.low,
            Start::Offset(offset) => offset,
        };
        check_offset(&held.partition, offset, held.extent)?;
        held.start = Some(offset);
        if !complete {
            return self.assign_when_complete();
        }
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&partition.topic, partition.number, Offset::Offset(offset))
            .and_then(|()| self.consumer.seek_partitions(list, EXTENT_WITHIN).map(|_| ()))
            .map_err(|error| client::retryable("seeking", &error))
    }

    async fn committed(&mut self, partition: &Partition, next: i64) -> Result<(), SourceError> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&partition.topic, partition.number, Offset::Offset(next))
            .and_then(|()| self.consumer.commit(&list, CommitMode::Async))
            .map_err(|error| client::retryable("telling Kafka the offset", &error))
    }

    fn pause(&mut self, paused: bool) -> Result<(), SourceError> {
        if self.paused == paused {
            return Ok(());
        }
        self.paused = paused;
        let changed = self.consumer.assignment().and_then(|list| {
            if paused { self.consumer.pause(&list) } else { self.consumer.resume(&list) }
        });
        changed.map_err(|error| client::retryable("pausing", &error))
    }

    fn extent(&self, partition: &Partition) -> Option<Extent> {
        let held = self.held.get(&(partition.topic.clone(), partition.number));
        held.map(|held| held.extent)
    }

    async fn close(&mut self) {
        if let Err(error) = self.consumer.unassign() {
            tracing::debug!(%error, "leaving the group");
        }
        self.consumer.unsubscribe();
    }
}

fn detached(record: Result<BorrowedMessage<'_>, KafkaError>) -> Result<OwnedMessage, KafkaError> {
    record.map(|record| record.detach())
}

fn expired(error: &KafkaError) -> SourceError {
    SourceError::Fatal(format!(
        "{error}: an offset that was to be read next has expired or never was: events may be lost; \
         raise the topic's retention, and accept the gap by another `source.kafka.incarnation`"
    ))
}

/// An offset that is not there any more, or never was, is loud: reading on elsewhere would lose
/// events or count them twice.
fn check_offset(partition: &Partition, offset: i64, extent: Extent) -> Result<(), SourceError> {
    let place = format!("`{}`/{}", partition.topic, partition.number);
    if offset < extent.low {
        return Err(SourceError::Fatal(format!(
            "{place}: offsets {offset} to {} have expired before they were read: those events are \
             lost; raise the topic's retention, and accept the gap by another \
             `source.kafka.incarnation`",
            extent.low - 1
        )));
    }
    if offset > extent.high {
        return Err(SourceError::Fatal(format!(
            "{place}: the lake has read up to offset {offset}, but the topic ends before {}: it \
             was deleted and made again; accept it by another `source.kafka.incarnation`",
            extent.high
        )));
    }
    Ok(())
}
