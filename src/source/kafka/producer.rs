//! Idempotent producers: every acknowledgement means every in-sync replica has it.

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::try_join_all;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::util::Timeout;
use std::time::Duration;

use super::client::{self, Logs};
use crate::crash;
use crate::source::config::KafkaConfig;
use crate::source::{Appended, EventLog, LogEntry, Publisher, SourceError};

/// How long a full queue may make a sender wait.
const QUEUE_WAIT: Duration = Duration::from_secs(5);

pub(super) fn connect(config: &KafkaConfig) -> Result<FutureProducer<Logs>, SourceError> {
    let mut settings = client::settings(config);
    settings.set("enable.idempotence", "true");
    settings.set("acks", "all");
    settings.set("linger.ms", "5");
    settings.set("compression.type", "zstd");
    settings.set("delivery.timeout.ms", "20000");
    let settings = client::with_properties(settings, config);
    settings.create_with_context(Logs).map_err(|error| client::fatal(&error))
}

/// The accepted log on Kafka: envelopes that only our front doors write.
#[derive(Clone)]
pub struct KafkaLog {
    producer: FutureProducer<Logs>,
    topic: String,
}

impl std::fmt::Debug for KafkaLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaLog").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl KafkaLog {
    pub(super) fn new(producer: FutureProducer<Logs>, topic: &str) -> Self {
        Self { producer, topic: topic.to_owned() }
    }
}

#[async_trait]
impl EventLog for KafkaLog {
    async fn append(&self, entries: Vec<LogEntry>) -> Result<Appended, SourceError> {
        let sent = entries
            .iter()
            .map(|entry| send(&self.producer, &self.topic, &entry.key, &entry.payload));
        try_join_all(sent).await?;
        crash::point("kafka.produced");
        Ok(Appended { entries: entries.len() })
    }
}

/// The anomalies' topic.
#[derive(Clone)]
pub struct KafkaPublisher {
    producer: FutureProducer<Logs>,
    topic: String,
}

impl std::fmt::Debug for KafkaPublisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaPublisher").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl KafkaPublisher {
    pub(super) fn new(producer: FutureProducer<Logs>, topic: &str) -> Self {
        Self { producer, topic: topic.to_owned() }
    }
}

#[async_trait]
impl Publisher for KafkaPublisher {
    async fn publish(&self, key: &str, payload: Bytes) -> Result<(), SourceError> {
        send(&self.producer, &self.topic, key, &payload).await
    }
}

async fn send(
    producer: &FutureProducer<Logs>,
    topic: &str,
    key: &str,
    payload: &Bytes,
) -> Result<(), SourceError> {
    let record = FutureRecord::to(topic).key(key).payload(payload.as_ref());
    let sent = producer.send(record, Timeout::After(QUEUE_WAIT)).await;
    let Err((error, _)) = sent else { return Ok(()) };
    match producer.client().fatal_error() {
        Some((_, why)) => {
            Err(SourceError::Fatal(format!("the Kafka producer cannot go on: {why}; start again")))
        }
        None => Err(client::retryable(format!("producing to `{topic}`"), &error)),
    }
}
