//! A Kafka record becomes a message.

use std::sync::Arc;

use bytes::Bytes;
use rdkafka::message::{Headers, Message as _, OwnedMessage, Timestamp as RecordTime};

use crate::source::{Message, Partition};
use crate::time::Timestamp;

/// The message in a record of that partition. A record of a format so old that it has no time is
/// taken as accepted in 1970, so that its events are dead letters and not silently of any age.
pub(super) fn message(partition: &Arc<Partition>, record: &OwnedMessage) -> Message {
    let millis = match record.timestamp() {
        RecordTime::NotAvailable => None,
        RecordTime::CreateTime(millis) | RecordTime::LogAppendTime(millis) => Some(millis),
    };
    let headers = record.headers().map(|headers| {
        let all = headers.iter();
        all.map(|header| {
            (header.key.to_owned(), Bytes::copy_from_slice(header.value.unwrap_or_default()))
        })
        .collect()
    });
    Message {
        partition: partition.clone(),
        offset: record.offset(),
        accepted_at: millis.and_then(Timestamp::from_millis).unwrap_or(Timestamp::EPOCH),
        headers: headers.unwrap_or_default(),
        payload: record.payload().map(Bytes::copy_from_slice),
    }
}
