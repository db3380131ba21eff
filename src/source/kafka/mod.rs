//! Kafka, by librdkafka: a consumer group whose offsets live in the lake, and idempotent producers.

mod client;
mod consumer;
mod group;
mod position;
mod producer;
mod record;
#[cfg(test)]
mod tests;
mod topic_id;

pub use consumer::KafkaSource;
pub use producer::{KafkaLog, KafkaPublisher};

use super::SourceError;
use super::config::KafkaConfig;

/// Connects to the cluster: the source, the accepted log and the anomalies' topic.
///
/// # Errors
/// [`SourceError`].
pub fn open(config: &KafkaConfig) -> Result<(KafkaSource, KafkaLog, KafkaPublisher), SourceError> {
    client::check(config)?;
    let producer = producer::connect(config)?;
    let cluster = client::cluster_id(&producer)?;
    if config.create_topics {
        client::create_topics(config, &producer)?;
    }
    let log = KafkaLog::new(producer.clone(), &config.accepted_topic);
    let publisher = KafkaPublisher::new(producer, &config.anomalies_topic);
    Ok((KafkaSource::connect(config, &cluster)?, log, publisher))
}
