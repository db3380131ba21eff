//! What every client of the cluster is told, and what is asked of the cluster once.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::producer::{FutureProducer, Producer};
use rdkafka::types::RDKafkaErrorCode;

use crate::source::SourceError;
use crate::source::config::KafkaConfig;

/// How long the cluster may take to answer at start.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Properties on which the promise rests, or that have a setting of their own.
const OURS: [&str; 11] = [
    "acks",
    "auto.offset.reset",
    "bootstrap.servers",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "group.protocol",
    "partition.assignment.strategy",
    "request.required.acks",
];

/// Sends what librdkafka logs to our own log.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Logs;

impl ClientContext for Logs {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        trace(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "Kafka producer");
    }
}

/// One line of librdkafka's log.
pub(super) fn trace(level: RDKafkaLogLevel, facility: &str, message: &str) {
    use RDKafkaLogLevel::{Alert, Critical, Debug, Emerg, Error, Info, Notice, Warning};
    match level {
        Emerg | Alert | Critical | Error => {
            tracing::error!(target: "librdkafka", facility, "{message}");
        }
        Warning => tracing::warn!(target: "librdkafka", facility, "{message}"),
        Notice | Info => tracing::info!(target: "librdkafka", facility, "{message}"),
        Debug => tracing::debug!(target: "librdkafka", facility, "{message}"),
    }
}

/// Checks what can be checked without the cluster.
///
/// # Errors
/// [`SourceError::Fatal`] when brokers are missing, or when a property is not the operator's to
/// set.
pub(super) fn check(config: &KafkaConfig) -> Result<(), SourceError> {
    if config.brokers.is_empty() {
        let message = "`source.kafka.brokers` is required, such as `localhost:9092`";
        return Err(SourceError::Fatal(message.to_owned()));
    }
    match config.properties.keys().find(|name| OURS.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(SourceError::Fatal(format!(
            "`source.kafka.properties` may not set `{name}`: it has a setting of its own, or \
             counting each event once rests on it"
        ))),
    }
}

/// Connection and security, by settings of their own.
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
pub(super) fn cluster_id(producer: &FutureProducer<Logs>) -> Result<String, SourceError> {
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
    producer: &FutureProducer<Logs>,
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
    let admin: AdminClient<Logs> = with_properties(settings(config), config)
        .create_with_context(Logs)
        .map_err(|error| fatal(&error))?;
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

/// Why a client cannot be made; the value is not shown, for it may be a secret.
pub(super) fn fatal(error: &KafkaError) -> SourceError {
    let why = match error {
        KafkaError::ClientConfig(_, why, name, _) => format!("`{name}`: {why}"),
        other => other.to_string(),
    };
    SourceError::Fatal(format!("cannot make a Kafka client of `source.kafka`: {why}"))
}
