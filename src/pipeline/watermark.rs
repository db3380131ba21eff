//! How far event time has come: the watermark over all source partitions.
//!
//! In: event times as they are committed, by partition. Out: the instant before which no more
//! events are expected. Never: a stop because one partition is idle, or a jump because one sender's
//! clock runs ahead.

use std::collections::HashMap;

use crate::time::Timestamp;

/// An event may be this much out of order within its partition.
const DISORDER_SECONDS: i64 = 120;
/// A partition without messages for this long holds nobody back.
const IDLE_SECONDS: i64 = 60;
/// A time further ahead of the wall clock than this moves the watermark no further.
const AHEAD_SECONDS: i64 = 300;

/// What is known of one partition.
#[derive(Debug, Clone, Copy)]
struct Progress {
    /// The latest event time seen; `None` before the first event.
    latest: Option<Timestamp>,
    /// When it last had a message, or was assigned.
    heard_at: Timestamp,
}

/// The watermark of each partition, and their minimum.
#[derive(Debug, Default)]
pub struct Watermarks {
    partitions: HashMap<(String, i32), Progress>,
    /// The highest watermark given out: it never goes back.
    reached: Option<Timestamp>,
}

impl Watermarks {
    /// A partition is ours now; until it is idle or speaks, it holds the watermark.
    pub fn assigned(&mut self, topic: &str, partition: i32, now: Timestamp) {
        let fresh = Progress { latest: None, heard_at: now };
        self.partitions.entry((topic.to_owned(), partition)).or_insert(fresh);
    }

    /// A partition is no longer ours.
    pub fn revoked(&mut self, topic: &str, partition: i32) {
        self.partitions.remove(&(topic.to_owned(), partition));
    }

    /// Events of a partition were committed, the latest of them at `latest`.
    pub fn observe(&mut self, topic: &str, partition: i32, latest: Timestamp, now: Timestamp) {
        let held = latest.min(now.plus_seconds(AHEAD_SECONDS));
        let fresh = Progress { latest: None, heard_at: now };
        let progress = self.partitions.entry((topic.to_owned(), partition)).or_insert(fresh);
        progress.latest = progress.latest.max(Some(held));
        progress.heard_at = now;
    }

    /// The instant before which no more events are expected: the minimum over the partitions that
    /// are not idle, each two minutes behind its latest event. When all are idle, the wall clock
    /// goes on instead. `None` while a partition that is not idle has said nothing yet.
    pub fn at(&mut self, now: Timestamp) -> Option<Timestamp> {
        let idle_since = now.plus_seconds(-IDLE_SECONDS);
        let busy = self.partitions.values().filter(|progress| progress.heard_at > idle_since);
        let lowest = busy.map(|progress| progress.latest).min();
        let mark = match lowest {
            None => Some(now.plus_seconds(-DISORDER_SECONDS)),
            Some(latest) => latest.map(|latest| latest.plus_seconds(-DISORDER_SECONDS)),
        };
        self.reached = self.reached.max(mark);
        self.reached
    }
}
