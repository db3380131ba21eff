//! Where an event was read.

/// The place of an event in its source: what makes a replay recognizable.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lineage {
    /// The Kafka topic, or the spool's name.
    pub topic: String,
    /// The partition; 0 for the spool.
    pub partition: i32,
    /// The message's offset.
    pub offset: i64,
    /// The event's place in a message that holds several.
    pub index: u32,
}
