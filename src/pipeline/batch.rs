//! What waits for the next commit, by source partition.
//!
//! In: metered events and rejections with their lineage. Out, at a flush: rows and dead letters,
//! each identity once. Never: events of a partition that is no longer ours, a partition's next
//! offset without the rows before it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::identities::{Seen, Verdict};
use crate::event::{Identity, Lineage, RejectionCode, ReplayOf};
use crate::lake::{CallRow, Correction, Counted, DeadLetterRow};
use crate::source::Partition;
use crate::time::Timestamp;

/// A row that waits for its commit.
#[derive(Debug, Clone)]
pub struct Pending {
    /// The row.
    pub row: CallRow,
    /// When the log accepted the event.
    pub accepted_at: Timestamp,
    /// Bytes as received.
    pub size_bytes: u64,
    /// The partition that it was read from.
    pub partition: Arc<Partition>,
}

/// What became of one event.
#[derive(Debug)]
pub enum Outcome {
    /// A row, unless its identity was counted before.
    Row(Box<Pending>),
    /// A dead letter.
    Dead(Box<DeadLetterRow>),
    /// Beside what became of the event: the dead letter that it came from is replayed.
    Replayed(Box<Replayed>),
}

impl Outcome {
    /// Where it was read.
    pub fn lineage(&self) -> &Lineage {
        match self {
            Self::Row(pending) => &pending.row.lineage,
            Self::Dead(dead) => &dead.lineage,
            Self::Replayed(replayed) => &replayed.lineage,
        }
    }

    /// Whether it is what became of an event.
    pub const fn is_event(&self) -> bool {
        !matches!(self, Self::Replayed(_))
    }
}

/// That a dead letter was replayed: one more row at the letter's place.
#[derive(Debug)]
pub struct Replayed {
    /// Where the replay was read.
    lineage: Lineage,
    /// The row; its lineage is the dead letter's.
    pub row: DeadLetterRow,
}

impl Replayed {
    /// The letter's row, with what became of its event. Whether that is a row of `calls` or
    /// another dead letter, it is found by its identity.
    pub fn new(lineage: Lineage, letter: ReplayOf, outcome: &Outcome, now: Timestamp) -> Self {
        let mut row = match outcome {
            Outcome::Row(pending) => again(pending, Verdict::Duplicate),
            Outcome::Dead(dead) => dead.as_ref().clone(),
            Outcome::Replayed(replayed) => replayed.row.clone(),
        };
        row.lineage = letter.lineage;
        row.app_id = letter.app_id;
        row.received_at = letter.received_at;
        row.ingested_at = now;
        row.reason = letter.reason;
        row.message = format!("replayed as {}", place(&lineage));
        row.event = None;
        row.sender = None;
        row.replayed_at = Some(now);
        Self { lineage, row }
    }
}

/// A place in a source, as people name it.
fn place(lineage: &Lineage) -> String {
    let Lineage { topic, partition, offset, index } = lineage;
    format!("{topic}/{partition}/{offset}/{index}")
}

/// What waits of one partition.
#[derive(Debug)]
pub struct Part {
    /// The partition.
    pub partition: Arc<Partition>,
    /// The offset to read next, once this is committed.
    pub next: i64,
    /// What became of the events, in offset order.
    pub outcomes: Vec<Outcome>,
}

/// What waits for the next commit.
#[derive(Debug, Default)]
pub struct Batch {
    parts: BTreeMap<String, Part>,
    rows: usize,
    bytes: usize,
    /// Not the wall clock's time: that may jump.
    since: Option<Instant>,
}

/// A batch, decided: what each event becomes.
#[derive(Debug, Default)]
pub struct Decided {
    /// Rows: each identity is new.
    #[expect(clippy::vec_box, reason = "a row is some kilobytes, and moved often")]
    pub rows: Vec<Box<Pending>>,
    /// Dead letters that are not in their table yet.
    pub dead: Vec<DeadLetterRow>,
    /// Dead letters that are.
    pub dead_committed: Vec<DeadLetterRow>,
    /// Replays of dead letters that are not told in their table yet.
    pub replayed: Vec<Replayed>,
    /// Replays that are.
    pub replayed_committed: Vec<Replayed>,
    /// Corrections that are not queued yet.
    pub corrections: Vec<Correction>,
    /// Corrections that are.
    pub corrections_committed: Vec<Correction>,
    /// Every partition with the offset to read next.
    pub next: Vec<(Arc<Partition>, i64)>,
    /// Partitions that somebody else has taken over: what was here of them is dropped, and before
    /// anything more is read of them they are to be owned anew. Stays through a failed commit.
    pub lost: Vec<Arc<Partition>>,
}

impl Batch {
    /// Takes a message's outcomes; `bytes` is what it holds in memory.
    pub fn take(
        &mut self,
        partition: &Arc<Partition>,
        offset: i64,
        outcomes: Vec<Outcome>,
        bytes: usize,
    ) {
        self.rows += outcomes.len();
        self.bytes += bytes;
        self.since.get_or_insert_with(Instant::now);
        let part = self.parts.entry(partition.app_id.clone()).or_insert_with(|| Part {
            partition: partition.clone(),
            next: offset,
            outcomes: Vec::new(),
        });
        part.next = offset.saturating_add(1);
        part.outcomes.extend(outcomes);
    }

    /// Drops what is in flight of a partition that is no longer ours.
    pub fn drop_partition(&mut self, partition: &Partition) {
        if let Some(part) = self.parts.remove(&partition.app_id) {
            self.rows = self.rows.saturating_sub(part.outcomes.len());
        }
        if self.parts.is_empty() {
            *self = Self::default();
        }
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The identities of what may become rows.
    pub fn identities(&self) -> impl Iterator<Item = &Identity> {
        let outcomes = self.parts.values().flat_map(|part| &part.outcomes);
        outcomes.filter_map(|outcome| match outcome {
            Outcome::Row(pending) => Some(&pending.row.charge.identity),
            Outcome::Dead(_) | Outcome::Replayed(_) => None,
        })
    }

    /// Events that wait.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes that wait.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// When the oldest part was taken.
    pub const fn since(&self) -> Option<Instant> {
        self.since
    }

    /// Decides what each event becomes: the first of an identity in (topic, partition, offset,
    /// index) order is the row, unless it was counted before.
    pub fn decide(self, seen: &Seen) -> Decided {
        let mut decided = Decided::default();
        let mut outcomes = Vec::with_capacity(self.rows);
        for part in self.parts.into_values() {
            decided.next.push((part.partition, part.next));
            outcomes.extend(part.outcomes);
        }
        outcomes.sort_by(|a, b| a.lineage().cmp(b.lineage()));
        let mut fresh = Seen::default();
        for outcome in outcomes {
            match outcome {
                Outcome::Dead(dead) => decided.dead.push(*dead),
                Outcome::Replayed(replayed) => decided.replayed.push(*replayed),
                Outcome::Row(pending) => {
                    let identity = pending.row.charge.identity;
                    let known = if fresh.judge(&identity) == Verdict::New { seen } else { &fresh };
                    let verdict = known.judge(&identity);
                    let change = known.may_change(&pending.row.charge.event, &identity);
                    if verdict == Verdict::New || verdict == Verdict::Conflict && change.is_some() {
                        fresh.insert(&counted(&pending.row));
                    }
                    decided.place(pending, verdict, change);
                }
            }
        }
        decided
    }
}

impl Decided {
    /// What the rows add to the counted identities.
    pub fn counted(&self) -> impl Iterator<Item = Counted> {
        self.rows.iter().map(|pending| counted(&pending.row))
    }

    /// What the corrections that are queued make of the rows of their identities.
    pub fn corrected(&self) -> impl Iterator<Item = Counted> {
        self.corrections_committed.iter().map(|correction| counted(&correction.row))
    }

    /// The identities that the counted ones are asked for.
    pub fn identities(&self) -> impl Iterator<Item = &Identity> {
        let corrections = self.corrections_committed.iter().map(|correction| &correction.row);
        let rows = self.rows.iter().map(|pending| &pending.row).chain(corrections);
        rows.map(|row| &row.charge.identity)
    }

    /// Decides again about rows whose identities others have counted meanwhile. Says whether any
    /// row became a dead letter.
    pub fn trim(&mut self, seen: &Seen) -> bool {
        let before = self.rows.len();
        let judged = std::mem::take(&mut self.rows).into_iter();
        for pending in judged {
            let identity = pending.row.charge.identity;
            let change = seen.may_change(&pending.row.charge.event, &identity);
            self.place(pending, seen.judge(&identity), change);
        }
        self.rows.len() < before
    }

    /// An event of a new identity is a row; one that may change a row is queued; any other is a
    /// dead letter.
    fn place(&mut self, pending: Box<Pending>, verdict: Verdict, change: Option<&'static str>) {
        match (verdict, change) {
            (Verdict::New, _) => self.rows.push(pending),
            (Verdict::Conflict, Some(reason)) => {
                let Pending { row, partition, .. } = *pending;
                let app_id = partition.app_id.clone();
                self.corrections.push(Correction { row, app_id, reason });
            }
            (verdict, _) => self.dead.push(again(&pending, verdict)),
        }
    }

    /// Drops what is in flight of a partition that somebody else has taken over, and remembers it.
    pub fn lose(&mut self, partition: &Arc<Partition>) {
        self.drop_partition(partition);
        self.lost.push(partition.clone());
    }

    /// Drops what is in flight of a partition that is revoked.
    pub fn drop_partition(&mut self, partition: &Partition) {
        let theirs = |lineage: &Lineage| {
            lineage.topic == partition.topic && lineage.partition == partition.number
        };
        self.next.retain(|(ours, _)| ours.app_id != partition.app_id);
        self.lost.retain(|lost| lost.app_id != partition.app_id);
        self.rows.retain(|pending| !theirs(&pending.row.lineage));
        self.dead.retain(|dead| !theirs(&dead.lineage));
        self.replayed.retain(|replayed| !theirs(&replayed.lineage));
        self.corrections.retain(|correction| !theirs(&correction.row.lineage));
    }
}

/// What a row adds to the counted identities.
fn counted(row: &CallRow) -> Counted {
    let is_provisional = row.charge.event.provisional;
    Counted { identity: row.charge.identity, is_provisional }
}

/// The dead letter of an event whose identity was counted before.
fn again(pending: &Pending, verdict: Verdict) -> DeadLetterRow {
    let row = &pending.row;
    let event = &row.charge.event;
    let (reason, message, content) = if verdict == Verdict::Duplicate {
        (RejectionCode::Duplicate, "counted before with the same content", None)
    } else {
        let message = "counted before with other content: the first one stays";
        (RejectionCode::Conflict, message, Some(event.canonical()))
    };
    DeadLetterRow {
        lineage: row.lineage.clone(),
        app_id: pending.partition.app_id.clone(),
        received_at: pending.accepted_at,
        ingested_at: row.ingested_at,
        reason,
        message: message.to_owned(),
        namespace: row.charge.namespace.clone(),
        source: Some(event.source.clone()),
        event_id: Some(event.event_id.clone()),
        tenant: row.charge.attribution.who.tenant.clone(),
        occurred_at: Some(event.occurred_at),
        identity_hash: Some(row.charge.identity.identity_hash),
        content_hash: row.charge.identity.content_hash,
        size_bytes: pending.size_bytes,
        event: content,
        sender: None,
        raw: None,
        replayed_at: None,
    }
}
