//! The partitions that a consumer would read, looked at without joining the group.

use std::time::Duration;

use rdkafka::error::KafkaError;
use rdkafka::producer::Producer;

use super::client::{self, retryable};
use super::topic_id::topic_id;
use super::{consumer, producer};
use crate::source::config::KafkaConfig;
use crate::source::{Extent, Partition, SourceError};

/// How long a broker may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Every partition of every topic that is there, and how far it reaches.
///
/// # Errors
/// [`SourceError`]: the cluster does not answer, or refuses.
pub fn inspect(config: &KafkaConfig) -> Result<Vec<(Partition, Extent)>, SourceError> {
    client::check(config)?;
    let producer = producer::connect(config)?;
    let cluster = client::cluster_id(&producer)?;
    let broker = producer.client();
    let failed = |error: KafkaError| retryable("asking the Kafka cluster for its topics", &error);
    // Asking for one that is not there could make it.
    let metadata = broker.fetch_metadata(None, ANSWER_WITHIN).map_err(failed)?;
    let mut found = Vec::new();
    for (topic, origin) in consumer::origins(config) {
        let failed = |error: KafkaError| retryable(format!("looking at `{topic}`"), &error);
        let Some(known) = metadata.topics().iter().find(|known| known.name() == topic) else {
            continue;
        };
        let incarnation = match &config.incarnation {
            Some(named) => named.clone(),
            None => topic_id(broker, &topic, ANSWER_WITHIN).map_err(failed)?,
        };
        for number in known.partitions().iter().map(|partition| partition.id()) {
            let reach = broker.fetch_watermarks(&topic, number, ANSWER_WITHIN).map_err(failed)?;
            let app_id = consumer::app_id(&cluster, &topic, &incarnation, number);
            let (topic, origin) = (topic.clone(), origin.clone());
            let partition = Partition { app_id, topic, number, origin };
            found.push((partition, Extent { low: reach.0, high: reach.1 }));
        }
    }
    Ok(found)
}
