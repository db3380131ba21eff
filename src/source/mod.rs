//! Where raw events come from, with offsets: Kafka and the embedded durable log, behind one trait.

mod anomaly_log;
mod config;
mod contract;
mod inspect;
#[cfg(feature = "kafka")]
mod kafka;
mod open;
mod registry;
mod spool;
#[cfg(test)]
mod tests;

pub use config::{
    KafkaConfig, RawTopic, RegistryConfig, SourceConfig, SourceKind, SpoolConfig, SpoolDurability,
};
pub use contract::{
    Appended, EventLog, Extent, LogEntry, Message, Origin, Partition, Publisher, Source,
    SourceError, Start, Step,
};
pub use inspect::{Reach, inspect};
pub use open::{Opened, open};
pub use registry::AvroDecoders;
pub use spool::{Spool, SpoolLog, SpoolSource};
