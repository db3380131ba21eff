//! Whether an offset can be read on from.
//!
//! An offset that is not there any more, or never was, is loud: reading on elsewhere would lose
//! events or count them twice.

use crate::source::{Extent, Partition, SourceError};

/// Checks that `offset` lies in the partition, or right behind its end.
pub(in crate::source) fn check(
    partition: &Partition,
    offset: i64,
    extent: Extent,
) -> Result<(), SourceError> {
    let place = format!("`{}`/{}", partition.topic, partition.number);
    if offset < extent.low {
        return Err(SourceError::Fatal(format!(
            "{place}: offsets {offset} to {} have expired before they were read: those events are \
             lost; raise the topic's retention, and accept the gap by another \
             `source.kafka.incarnation`",
            extent.low.saturating_sub(1)
        )));
    }
    if offset > extent.high {
        return Err(SourceError::Fatal(format!(
            "{place}: the lake has read up to offset {offset}, but the topic ends before {}: it \
             was deleted and made again; accept it by another `source.kafka.incarnation`",
            extent.high
        )));
    }
    Ok(())
}
