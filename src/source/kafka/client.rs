//! What every client of the cluster is told, and what is asked of the cluster once.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::KafkaError;
use rdkafka::producer::{FutureProducer, Producer};
use rdkafka::types::RDKafkaErrorCode;

use crate::source::SourceError;
use crate::source::config::KafkaConfig;

/// How long the cluster may take to answer at start.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Connection and security; `properties` come last and win.
pub(super) fn settings(config: &KafkaConfig) -> ClientConfig {
    let mut settings = ClientConfig::new();
    settings.set("bootstrap.servers", &config.brokers);
    settings.set("client.id", "tokenmeter");
    settings.set("security.protocol", &config.security_protocol);
    let texts = [
        ("sasl.mechanism", config.sasl_mechanism.clone()),
        ("sasl.username", config.sasl_username.clone()),
        ("sasl.password", config.sasl_password.as_ref().map(|secret| secret.reveal().to_owned())),
        ("ssl.ca.location", path(config.ssl_ca_location.as_ref())),
        ("ssl.certificate.location", path(config.ssl_certificate_location.as_ref())),
        ("ssl.key.location", path(config.ssl_key_location.as_ref())),
        ("ssl.key.password", config.ssl_key_password.as_ref().map(|key| key.reveal().to_owned())),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            settings.set(name, value);
        }
    }
    settings
}

/// Sets the operator's own properties over ours.
pub(super) fn with_properties(mut settings: ClientConfig, config: &KafkaConfig) -> ClientConfig {
    for (name, value) in &config.properties {
        settings.set(name, value.reveal());
    }
    settings
}

fn path(path: Option<&std::path::PathBuf>) -> Option<String> {
    path.map(|path| path.display().to_string())
}

/// The cluster's id: part of the id under which offsets are kept.
pub(super) fn cluster_id(producer: &FutureProducer) -> Result<String, SourceError> {
    // The id comes with the first metadata, which also shows whether the cluster answers.
    producer
        .client()
        .fetch_metadata(None, ANSWER_WITHIN)
        .map_err(|error| retryable("asking the Kafka cluster for its topics", &error))?;
    producer.client().fetch_cluster_id(ANSWER_WITHIN).ok_or_else(|| SourceError::Retryable {
        what: "asking the Kafka cluster for its id".to_owned(),
        why: "no answer".to_owned(),
    })
}

/// Creates the topics that are not there; one that is there stays as it is.
pub(super) fn create_topics(
    config: &KafkaConfig,
    producer: &FutureProducer,
) -> Result<(), SourceError> {
    let metadata = producer
        .client()
        .fetch_metadata(None, ANSWER_WITHIN)
        .map_err(|error| retryable("asking the Kafka cluster for its topics", &error))?;
    let known: Vec<&str> = metadata.topics().iter().map(|topic| topic.name()).collect();
    // The cluster's own default.
    let replication = || TopicReplication::Fixed(-1);
    let raw = config.raw_topics.iter().map(|raw| raw.topic.as_str());
    let plain = raw.chain([config.accepted_topic.as_str()]);
    let mut topics: Vec<NewTopic<'_>> = plain
        .filter(|name| !known.contains(name))
        .map(|name| NewTopic::new(name, config.partitions, replication()))
        .collect();
    if !known.contains(&config.anomalies_topic.as_str()) {
        let topic = NewTopic::new(&config.anomalies_topic, 1, replication());
        topics.push(topic.set("cleanup.policy", "compact"));
    }
    if topics.is_empty() {
        return Ok(());
    }
    let admin: AdminClient<DefaultClientContext> =
        with_properties(settings(config), config).create().map_err(|error| fatal(&error))?;
    let options = AdminOptions::new().operation_timeout(Some(ANSWER_WITHIN));
    let created = futures::executor::block_on(admin.create_topics(&topics, &options))
        .map_err(|error| retryable("creating topics", &error))?;
    for result in created {
        match result {
            Ok(topic) => tracing::info!(topic, "created"),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => {
                return Err(SourceError::Fatal(format!(
                    "cannot create the topic `{topic}`: {code}; create it, or set \
                     `source.kafka.create_topics = false`"
                )));
            }
        }
    }
    Ok(())
}

pub(super) fn retryable(what: impl Into<String>, error: &KafkaError) -> SourceError {
    SourceError::Retryable { what: what.into(), why: error.to_string() }
}

pub(super) fn fatal(error: &KafkaError) -> SourceError {
    SourceError::Fatal(format!("cannot make a Kafka client of `source.kafka`: {error}"))
}
