//! A source in this process: partitions with owners that change, read by several members.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::source::{Extent, Message, Origin, Partition, Source, SourceError, Start, Step};
use crate::time::Timestamp;

const TOPIC: &str = "raw";

/// The partitions and who has each.
#[derive(Debug)]
pub(super) struct Cluster {
    pub partitions: Vec<Vec<Option<Bytes>>>,
    pub accepted_at: Timestamp,
    owners: Mutex<Vec<usize>>,
}

impl Cluster {
    pub fn new(partitions: Vec<Vec<Option<Bytes>>>, accepted_at: Timestamp) -> Self {
        let owners = Mutex::new(vec![0; partitions.len()]);
        Self { partitions, accepted_at, owners }
    }

    /// Gives each partition to one of the members.
    pub fn assign(&self, mut member: impl FnMut() -> usize) {
        self.owners.lock().expect("the owners").fill_with(&mut member);
    }

    pub fn app_id(number: usize) -> String {
        format!("tokenmeter/sim/{TOPIC}/1/{number}")
    }

    fn partition(number: usize) -> Arc<Partition> {
        Arc::new(Partition {
            app_id: Self::app_id(number),
            topic: TOPIC.to_owned(),
            number: i32::try_from(number).expect("few partitions"),
            origin: Origin::Raw { namespace: "sim".to_owned() },
        })
    }
}

/// One member's end of it.
#[derive(Debug)]
pub(super) struct Member {
    number: usize,
    cluster: Arc<Cluster>,
    /// The partitions that it knows are its own, and the next offset of each.
    held: BTreeMap<usize, (Arc<Partition>, Option<usize>)>,
    paused: bool,
    random: StdRng,
}

impl Member {
    pub fn new(number: usize, cluster: Arc<Cluster>, seed: u64) -> Self {
        let random = StdRng::seed_from_u64(seed);
        Self { number, cluster, held: BTreeMap::new(), paused: false, random }
    }

    fn change(&mut self) -> Option<Step> {
        let owners = self.cluster.owners.lock().expect("the owners").clone();
        let is_mine = |number: &usize| owners[*number] == self.number;
        let gone: Vec<usize> = self.held.keys().copied().filter(|n| !is_mine(n)).collect();
        if !gone.is_empty() {
            let gone = gone.iter().filter_map(|number| self.held.remove(number));
            return Some(Step::Revoked(gone.map(|(partition, _)| partition).collect()));
        }
        let new: Vec<usize> =
            (0..owners.len()).filter(is_mine).filter(|n| !self.held.contains_key(n)).collect();
        let new = new.into_iter().map(|number| {
            let partition = Cluster::partition(number);
            self.held.insert(number, (partition.clone(), None));
            partition
        });
        let new: Vec<_> = new.collect();
        if new.is_empty() { None } else { Some(Step::Assigned(new)) }
    }

    fn messages(&mut self, limit: usize) -> Vec<Message> {
        let mut messages = Vec::new();
        for (number, (partition, next)) in &mut self.held {
            let (log, Some(next)) = (&self.cluster.partitions[*number], next) else { continue };
            let count = self.random.random_range(0..=4).min(limit - messages.len());
            for payload in log.iter().skip(*next).take(count) {
                messages.push(Message {
                    partition: partition.clone(),
                    offset: i64::try_from(*next).expect("few messages"),
                    accepted_at: self.cluster.accepted_at,
                    headers: Vec::new(),
                    payload: payload.clone(),
                });
                *next += 1;
            }
        }
        messages
    }

    fn falters(&mut self, what: &str) -> Result<(), SourceError> {
        if self.random.random_bool(0.02) {
            let why = "as planned".to_owned();
            return Err(SourceError::Retryable { what: what.to_owned(), why });
        }
        Ok(())
    }
}

fn number(partition: &Partition) -> usize {
    usize::try_from(partition.number).expect("no negative number")
}

#[async_trait]
impl Source for Member {
    async fn next(&mut self, limit: usize, wait: Duration) -> Result<Step, SourceError> {
        self.falters("reading")?;
        if let Some(change) = self.change() {
            return Ok(change);
        }
        let messages = if self.paused { Vec::new() } else { self.messages(limit) };
        tokio::time::sleep(wait.min(Duration::from_millis(3))).await;
        Ok(if messages.is_empty() { Step::Idle } else { Step::Messages(messages) })
    }

    async fn seek(&mut self, partition: &Partition, start: Start) -> Result<(), SourceError> {
        self.falters("seeking")?;
        if let Some((_, next)) = self.held.get_mut(&number(partition)) {
            *next = match start {
                Start::Earliest => Some(0),
                Start::Offset(offset) => Some(usize::try_from(offset).expect("an offset")),
            };
        }
        Ok(())
    }

    async fn committed(&mut self, _: &Partition, _: i64) -> Result<(), SourceError> {
        self.falters("telling")
    }

    fn pause(&mut self, paused: bool) -> Result<(), SourceError> {
        self.paused = paused;
        Ok(())
    }

    fn extent(&self, partition: &Partition) -> Option<Extent> {
        let high = self.cluster.partitions[number(partition)].len();
        Some(Extent { low: 0, high: i64::try_from(high).expect("few messages") })
    }

    async fn close(&mut self) {
        self.held.clear();
    }
}
