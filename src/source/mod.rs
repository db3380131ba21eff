//! Where raw events come from, with offsets: Kafka and the embedded durable log, behind one trait.

mod contract;

pub use contract::{
    Appended, EventLog, Extent, LogEntry, Message, Origin, Partition, Source, SourceError, Start,
    Step,
};
