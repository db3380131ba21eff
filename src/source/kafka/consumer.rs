//! The consuming end: a member of the group, reading from where the lake says.
//!
//! The group decides which partitions are ours; nothing is fetched of them before the pipeline has
//! said where each begins. Kafka's own committed offsets are a hint for lag tools only.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedMessage, Message as _, OwnedMessage};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;
use tokio::time::Instant;

use super::client::{self, retryable};
use super::group::{Change, Group, Place};
use super::position;
use super::record;
use super::topic_id;
use crate::crash;
use crate::source::config::KafkaConfig;
use crate::source::{Extent, Message, Origin, Partition, Source, SourceError, Start, Step};

/// How long a broker may take to say how far a partition reaches.
const EXTENT_WITHIN: Duration = Duration::from_secs(5);
/// Bytes that one step brings at most, beyond its first message.
const STEP_BYTES_MAX: usize = 8 << 20;

/// A partition that is ours.
#[derive(Debug)]
struct Held {
    partition: Arc<Partition>,
    extent: Extent,
    /// The next offset to deliver; `None` until the pipeline has said where to begin.
    next: Option<i64>,
}

/// A member of the consumer group.
pub struct KafkaSource {
    consumer: Arc<StreamConsumer<Group>>,
    /// Topic to origin.
    origins: BTreeMap<String, Origin>,
    /// The cluster's id.
    cluster: String,
    /// In the place of the topics' ids, where the operator says so.
    incarnation: Option<String>,
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
        // What a killed instance held is read on by another one after this time.
        settings.set("session.timeout.ms", "10000");
        settings.set("fetch.wait.max.ms", "50");
        settings.set("queued.max.messages.kbytes", "65536");
        settings.set("statistics.interval.ms", "2000");
        let settings = client::with_properties(settings, config);
        let consumer: StreamConsumer<Group> = settings
            .create_with_context(Group::default())
            .map_err(|error| client::fatal(&error))?;
        let origins = origins(config);
        let topics: Vec<&str> = origins.keys().map(String::as_str).collect();
        consumer.subscribe(&topics).map_err(|error| client::fatal(&error))?;
        Ok(Self {
            consumer: Arc::new(consumer),
            origins,
            cluster: cluster.to_owned(),
            incarnation: config.incarnation.clone(),
            held: BTreeMap::new(),
            paused: false,
        })
    }

    fn group(&self) -> &Group {
        self.consumer.context()
    }

    /// Takes up the next change of assignment. One that fails is met again at the next call.
    async fn change(&mut self) -> Result<Option<Step>, SourceError> {
        let Some(change) = self.group().next_change() else { return Ok(None) };
        let step = match change {
            Change::Revoked(places) => {
                let gone = places.iter().filter_map(|place| self.held.remove(place));
                Step::Revoked(gone.map(|held| held.partition).collect())
            }
            Change::Assigned(places) => {
                let mut partitions = Vec::with_capacity(places.len());
                let mut held = BTreeMap::new();
                for place in places {
                    let one = self.hold(&place).await?;
                    partitions.push(one.partition.clone());
                    held.insert(place, one);
                }
                self.held.extend(held);
                // With nothing to seek, nobody else would answer the group, and it would wait.
                if partitions.is_empty() {
                    self.assign_when_complete()?;
                }
                Step::Assigned(partitions)
            }
        };
        crash::point("kafka.changed");
        self.group().taken();
        Ok(Some(step))
    }

    async fn hold(&self, place: &Place) -> Result<Held, SourceError> {
        let (topic, number) = place;
        // Only topics of `origins` are subscribed to.
        let origin = self.origins.get(topic).cloned().unwrap_or(Origin::Envelopes);
        let incarnation = match &self.incarnation {
            Some(named) => named.clone(),
            None => self.topic_id(topic).await?,
        };
        let extent = self.reach(place).await?;
        crash::point("kafka.reached");
        let app_id = app_id(&self.cluster, topic, &incarnation, *number);
        let partition = Partition { app_id, topic: topic.clone(), number: *number, origin };
        Ok(Held { partition: Arc::new(partition), extent, next: None })
    }

    /// Asks the broker how far a partition reaches.
    async fn reach(&self, (topic, number): &Place) -> Result<Extent, SourceError> {
        let (name, number) = (topic.clone(), *number);
        let asked = move |consumer: &StreamConsumer<Group>| {
            consumer.fetch_watermarks(&name, number, EXTENT_WITHIN)
        };
        let what = || format!("asking how far `{topic}`/{number} reaches");
        let (low, high) = self.blocking(asked).await.map_err(|error| retryable(what(), &error))?;
        Ok(Extent { low, high })
    }

    /// The id of the topic that has this name now.
    async fn topic_id(&self, topic: &str) -> Result<String, SourceError> {
        let name = topic.to_owned();
        let asked = move |consumer: &StreamConsumer<Group>| {
            topic_id::topic_id(consumer.client(), &name, EXTENT_WITHIN)
        };
        let what = || {
            format!(
                "asking for the id of `{topic}` (where brokers cannot tell it, name a \
                 `source.kafka.incarnation`)"
            )
        };
        self.blocking(asked).await.map_err(|error| retryable(what(), &error))
    }

    /// Asks the cluster something without holding up other tasks.
    async fn blocking<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&StreamConsumer<Group>) -> KafkaResult<T> + Send + 'static,
    ) -> KafkaResult<T> {
        let consumer = self.consumer.clone();
        let asked = tokio::task::spawn_blocking(move || ask(&consumer)).await;
        asked.unwrap_or(Err(KafkaError::Canceled))
    }

    /// Takes the assignment into effect once every partition has its beginning; never one that was
    /// taken away again meanwhile.
    fn assign_when_complete(&self) -> Result<(), SourceError> {
        if self.group().revocation_waits() {
            return Ok(());
        }
        let failed = |error: KafkaError| retryable("taking up the assigned partitions", &error);
        let mut list = TopicPartitionList::new();
        for ((topic, number), held) in &self.held {
            let Some(next) = held.next else { return Ok(()) };
            list.add_partition_offset(topic, *number, Offset::Offset(next)).map_err(failed)?;
        }
        crash::point("kafka.assigning");
        self.consumer.assign(&list).map_err(failed)?;
        crash::point("kafka.assigned");
        self.group().answered();
        if self.paused { self.consumer.pause(&list).map_err(failed) } else { Ok(()) }
    }

    /// Messages of partitions that are ours.
    async fn taken(
        &mut self,
        records: Vec<KafkaResult<OwnedMessage>>,
    ) -> Result<Vec<Message>, SourceError> {
        let mut messages = Vec::with_capacity(records.len());
        for record in records {
            match record {
                Ok(record) => messages.extend(self.message(record)),
                Err(error) if is_expiry(&error) => return Err(self.expiry(&error).await),
                Err(KafkaError::MessageConsumptionFatal(code)) => {
                    return Err(SourceError::Fatal(format!(
                        "the Kafka consumer cannot go on: {code}; start again"
                    )));
                }
                Err(error) if messages.is_empty() => {
                    return Err(retryable("consuming from Kafka", &error));
                }
                // What lasts is said again.
                Err(error) => tracing::debug!(%error, "consuming from Kafka"),
            }
        }
        Ok(messages)
    }

    fn message(&mut self, record: OwnedMessage) -> Option<Message> {
        let place = (record.topic().to_owned(), record.partition());
        let held = self.held.get_mut(&place)?;
        let next = record.offset().saturating_add(1);
        held.next = Some(next);
        held.extent.high = held.extent.high.max(next);
        Some(record::message(&held.partition, &record))
    }

    /// Which partition's offset is not there any more; librdkafka does not say.
    async fn expiry(&self, error: &KafkaError) -> SourceError {
        for (place, held) in &self.held {
            let Some(next) = held.next else { continue };
            let extent = match self.reach(place).await {
                Ok(extent) => extent,
                Err(error) => return error,
            };
            if let Err(error) = position::check(&held.partition, next, extent) {
                return error;
            }
        }
        SourceError::Fatal(format!(
            "{error}: an offset that was to be read next is not there: start again, and the offset \
             is named"
        ))
    }
}

#[async_trait]
impl Source for KafkaSource {
    async fn next(&mut self, limit: usize, wait: Duration) -> Result<Step, SourceError> {
        let deadline = Instant::now() + wait;
        loop {
            if let Some(step) = self.change().await? {
                return Ok(step);
            }
            let mut records = Vec::new();
            let mut bytes = 0;
            {
                let consumer = &self.consumer;
                tokio::select! {
                    biased;
                    () = consumer.context().changed() => {}
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
            crash::point("kafka.received");
            let messages = self.taken(records).await?;
            if !messages.is_empty() {
                return Ok(Step::Messages(messages));
            }
        }
    }

    async fn seek(&mut self, partition: &Partition, start: Start) -> Result<(), SourceError> {
        // What was taken away cannot be sought in, and the group waits until that is taken up.
        if self.group().revocation_waits() {
            return Ok(());
        }
        let place = (partition.topic.clone(), partition.number);
        let is_running = self.held.values().all(|held| held.next.is_some());
        let Some(held) = self.held.get(&place) else { return Ok(()) };
        let offset = match start {
            Start::Earliest => held.extent.low,
            Start::Offset(offset) => offset,
        };
        // Others may have written and read on since it was assigned.
        let is_known = position::check(&held.partition, offset, held.extent).is_ok();
        let extent = if is_known { held.extent } else { self.reach(&place).await? };
        position::check(partition, offset, extent)?;
        if let Some(held) = self.held.get_mut(&place) {
            held.extent = extent;
            held.next = Some(offset);
        }
        if !is_running {
            return self.assign_when_complete();
        }
        let mut list = TopicPartitionList::new();
        let failed =
            |error: KafkaError| retryable(format!("seeking in `{}`/{}", place.0, place.1), &error);
        list.add_partition_offset(&place.0, place.1, Offset::Offset(offset)).map_err(failed)?;
        let sought = self.blocking(move |consumer| consumer.seek_partitions(list, EXTENT_WITHIN));
        let sought = sought.await.map_err(failed)?;
        sought.elements().iter().try_for_each(|part| part.error()).map_err(failed)
    }

    async fn committed(&mut self, partition: &Partition, next: i64) -> Result<(), SourceError> {
        let is_held = self.held.contains_key(&(partition.topic.clone(), partition.number));
        if !is_held || self.group().revocation_waits() {
            return Ok(());
        }
        let mut list = TopicPartitionList::new();
        crash::point("kafka.telling");
        list.add_partition_offset(&partition.topic, partition.number, Offset::Offset(next))
            .and_then(|()| self.consumer.commit(&list, CommitMode::Async))
            .map_err(|error| retryable("telling Kafka the offset", &error))
    }

    fn pause(&mut self, paused: bool) -> Result<(), SourceError> {
        if self.paused == paused {
            return Ok(());
        }
        let changed = self.consumer.assignment().and_then(|list| {
            if paused { self.consumer.pause(&list) } else { self.consumer.resume(&list) }
        });
        changed.map_err(|error| retryable("pausing", &error))?;
        self.paused = paused;
        Ok(())
    }

    fn extent(&self, partition: &Partition) -> Option<Extent> {
        let place = (partition.topic.clone(), partition.number);
        let held = self.held.get(&place)?.extent;
        let told = self.group().extent(&place).unwrap_or(held);
        Some(Extent { low: told.low.max(held.low), high: told.high.max(held.high) })
    }

    async fn close(&mut self) {
        self.leave();
    }
}

impl KafkaSource {
    /// Gives up the partitions and leaves. Without the answer to an assignment under way, the
    /// client would wait for it for ever when it is dropped.
    fn leave(&mut self) {
        self.held.clear();
        if self.group().leave()
            && let Err(error) = self.consumer.unassign()
        {
            tracing::debug!(%error, "leaving the group");
        }
        self.consumer.unsubscribe();
    }
}

#[cfg(test)]
impl KafkaSource {
    /// Lets the client hear of a revocation that the pipeline has not taken up.
    pub(super) async fn hear_of_a_revocation(&mut self) {
        while !self.group().revocation_waits() {
            drop(tokio::time::timeout(Duration::from_millis(50), self.consumer.recv()).await);
        }
    }
}

impl Drop for KafkaSource {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The topics that are read, and who writes each.
pub(super) fn origins(config: &KafkaConfig) -> BTreeMap<String, Origin> {
    let raw = config.raw_topics.iter();
    let raw = raw.map(|raw| (raw.topic.clone(), Origin::Raw { namespace: raw.namespace.clone() }));
    raw.chain([(config.accepted_topic.clone(), Origin::Envelopes)]).collect()
}

/// The id under which the lake keeps a partition's next offset.
pub(super) fn app_id(cluster: &str, topic: &str, incarnation: &str, number: i32) -> String {
    format!("tokenmeter/kafka/{cluster}/{topic}/{incarnation}/{number}")
}

fn detached(record: KafkaResult<BorrowedMessage<'_>>) -> KafkaResult<OwnedMessage> {
    record.map(|record| record.detach())
}

fn is_expiry(error: &KafkaError) -> bool {
    let code = error.rdkafka_error_code();
    matches!(code, Some(RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::AutoOffsetReset))
}
