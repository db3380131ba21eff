//! What the consumer group reports: changes of assignment, and how far partitions reach.
//!
//! In: librdkafka's callbacks. Out: a queue of changes that the consumer works off, and extents.
//! Never: a decision where to read; that is the pipeline's.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::Statistics;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;
use tokio::sync::Notify;

use super::client;
use crate::crash;
use crate::source::Extent;

/// A topic and the number of a partition of it.
pub(super) type Place = (String, i32);

/// A change of assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Assigned(Vec<Place>),
    Revoked(Vec<Place>),
}

/// Collects what the callbacks say.
#[derive(Debug, Default)]
pub(super) struct Group {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    changes: VecDeque<Change>,
    extents: BTreeMap<Place, Extent>,
    /// Whether the group waits for our answer to an assignment.
    unanswered: bool,
    leaving: bool,
}

impl Group {
    /// The change to take up next. An assignment that was revoked meanwhile is skipped: nothing may
    /// be fetched of it any more.
    pub(super) fn next_change(&self) -> Option<Change> {
        let mut state = self.state();
        if state.revocation_waits() {
            while matches!(state.changes.front(), Some(Change::Assigned(_))) {
                state.changes.pop_front();
            }
        }
        state.changes.front().cloned()
    }

    /// The change given out last has been taken up.
    pub(super) fn taken(&self) {
        self.state().changes.pop_front();
    }

    /// Whether partitions have been taken away that the pipeline has not heard of yet.
    pub(super) fn revocation_waits(&self) -> bool {
        self.state().revocation_waits()
    }

    /// Waits for a change.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// How far a partition reaches, as the last fetches told.
    pub(super) fn extent(&self, place: &Place) -> Option<Extent> {
        self.state().extents.get(place).copied()
    }

    /// The assignment has been taken into effect.
    pub(super) fn answered(&self) {
        self.state().unanswered = false;
    }

    /// From now on assignments are turned down. Says whether one still waits for its answer, and
    /// takes it as given: a second answer may find the group's handler gone and wait for ever.
    pub(super) fn leave(&self) -> bool {
        let mut state = self.state();
        state.leaving = true;
        std::mem::take(&mut state.unanswered)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn revocation_waits(&self) -> bool {
        self.changes.iter().any(|change| matches!(change, Change::Revoked(_)))
    }
}

impl ClientContext for Group {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client::trace(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "Kafka consumer");
    }

    fn stats(&self, statistics: Statistics) {
        let mut state = self.state();
        for (topic, facts) in statistics.topics {
            for (number, partition) in facts.partitions {
                // Below 0 stands for unknown.
                if partition.lo_offset >= 0 && partition.hi_offset >= 0 {
                    let extent = Extent { low: partition.lo_offset, high: partition.hi_offset };
                    state.extents.insert((topic.clone(), number), extent);
                }
            }
        }
    }
}

impl ConsumerContext for Group {
    /// Says who has what. An assignment takes effect when the pipeline has said where to begin; a
    /// revocation at once.
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        event: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        crash::point("kafka.rebalanced");
        let elements = partitions.elements();
        let places = elements.iter().map(|part| (part.topic().to_owned(), part.partition()));
        let assigned = event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        let mut state = self.state();
        if assigned && !state.leaving {
            state.changes.push_back(Change::Assigned(places.collect()));
            state.unanswered = true;
        } else {
            state.unanswered = false;
            if !assigned {
                state.changes.push_back(Change::Revoked(places.collect()));
            }
            if let Err(error) = consumer.unassign() {
                tracing::warn!(%error, "giving up partitions");
            }
        }
        drop(state);
        self.changed.notify_one();
    }
}
