//! Where events come from, as configured.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::setting::{ByteSize, Secret, Span};

/// The `[source]` part of the configuration.
#[derive(Debug, Clone, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct SourceConfig {
    /// Which log the pipeline reads and the front doors write.
    pub kind: SourceKind,
    /// The embedded log.
    pub spool: SpoolConfig,
    /// Kafka.
    pub kafka: KafkaConfig,
    /// The schema registry, for Avro on Kafka.
    pub registry: RegistryConfig,
}

/// Which log is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// The embedded durable log.
    #[default]
    Spool,
    /// Kafka.
    Kafka,
}

/// The embedded log.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpoolConfig {
    /// Its file; unset: `spool.sqlite` in the data directory.
    pub path: Option<PathBuf>,
    /// What an acknowledged event survives.
    pub durability: SpoolDurability,
    /// How large its file may grow while the lake takes nothing; then front doors answer 503.
    pub size_max: ByteSize,
}

impl Default for SpoolConfig {
    fn default() -> Self {
        Self { path: None, durability: SpoolDurability::default(), size_max: ByteSize(16 << 30) }
    }
}

/// What an acknowledged event survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpoolDurability {
    /// A power loss.
    #[default]
    Fsync,
    /// A crash of the process, not of the machine.
    Os,
}

/// Kafka.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KafkaConfig {
    /// Bootstrap servers: `host:port,host:port`.
    pub brokers: String,
    /// The consumer group.
    pub group: String,
    /// Topics that others write, and the namespace of their identities.
    pub raw_topics: Vec<RawTopic>,
    /// The topic that our front doors write, and nobody else.
    pub accepted_topic: String,
    /// The topic that anomalies are published to.
    pub anomalies_topic: String,
    /// Whether topics that are not there are created, and with how many partitions.
    pub create_topics: bool,
    /// Partitions of a created topic.
    pub partitions: i32,
    /// Part of the id under which offsets are kept: by default the id that Kafka gave the topic, so
    /// that one that was deleted and made again is read from its beginning. To accept a gap, or on
    /// brokers without topic ids (before Kafka 2.8), name another incarnation here.
    pub incarnation: Option<String>,
    /// `plaintext`, `ssl`, `sasl_plaintext` or `sasl_ssl`.
    pub security_protocol: String,
    /// `PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512`.
    pub sasl_mechanism: Option<String>,
    /// The user.
    pub sasl_username: Option<String>,
    /// Its password.
    pub sasl_password: Option<Secret>,
    /// The file of the authority's certificate.
    pub ssl_ca_location: Option<PathBuf>,
    /// The client's certificate, for mutual TLS.
    pub ssl_certificate_location: Option<PathBuf>,
    /// The client's key.
    pub ssl_key_location: Option<PathBuf>,
    /// The password of the client's key.
    pub ssl_key_password: Option<Secret>,
    /// Any further property of librdkafka.
    pub properties: BTreeMap<String, Secret>,
}

/// A topic that others write.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTopic {
    /// The topic.
    pub topic: String,
    /// The namespace of its events' identities.
    pub namespace: String,
}

impl Default for KafkaConfig {
    fn default() -> Self {
        Self {
            brokers: String::new(),
            group: "tokenmeter".to_owned(),
            raw_topics: vec![RawTopic {
                topic: "llm.calls.raw".to_owned(),
                namespace: "kafka".to_owned(),
            }],
            accepted_topic: "llm.calls.accepted".to_owned(),
            anomalies_topic: "llm.cost.anomalies".to_owned(),
            create_topics: true,
            partitions: 6,
            incarnation: None,
            security_protocol: "plaintext".to_owned(),
            sasl_mechanism: None,
            sasl_username: None,
            sasl_password: None,
            ssl_ca_location: None,
            ssl_certificate_location: None,
            ssl_key_location: None,
            ssl_key_password: None,
            properties: BTreeMap::new(),
        }
    }
}

/// A Confluent-compatible schema registry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegistryConfig {
    /// Its base URL; unset: Avro messages are dead-lettered as `unknown_schema`.
    pub url: Option<String>,
    /// The user, where it asks for one.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// How long an answer may take.
    pub timeout: Span,
    /// Schemas that are held at once.
    pub schemas_max: usize,
    /// How long an id that the registry does not know is asked for again.
    pub unknown_for: Span,
}

impl Default for RegistryConfig {
    fn default() -> Self {
        Self {
            url: None,
            username: None,
            password: None,
            timeout: Span::seconds(5),
            schemas_max: 1_000,
            unknown_for: Span::seconds(60),
        }
    }
}
