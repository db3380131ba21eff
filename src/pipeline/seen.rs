//! Which identities have been counted, and with which content.
//!
//! In: the hashes of committed rows with their dates, then of each event. Out: whether it is new.
//! Recent dates are held whole. When that needs more memory than allowed, the oldest dates keep six
//! bytes of each identity; when even these are too many, the oldest dates keep nothing. What an
//! event may be in such a date is asked of the table (`counted.rs`), never guessed.

use std::collections::{BTreeMap, HashMap};

use super::fingerprints::Fingerprints;
use crate::event::{CallEvent, Identity};
use crate::lake::Counted;

/// What an event is to those counted before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Its identity was never counted.
    New,
    /// Counted before, with the same content.
    Duplicate,
    /// Counted before, with other content: the first one stays.
    Conflict,
}

/// A hash's bytes.
type Hash = [u8; 16];

/// What is kept of a counted row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Its content hash.
    pub content: Hash,
    /// Whether a later event will finalize it.
    pub is_provisional: bool,
}

impl From<&Counted> for Held {
    fn from(row: &Counted) -> Self {
        Self { content: row.identity.content_hash, is_provisional: row.is_provisional }
    }
}

/// What is kept of one date's identities.
#[derive(Debug, Default)]
struct Day {
    /// Rows by identity hash.
    held: HashMap<Hash, Held>,
    /// The rest.
    past: Past,
}

/// Identities of a date that are not held whole.
#[derive(Debug)]
enum Past {
    /// Some bytes of each.
    Fingerprints(Fingerprints),
    /// Only how many there are: any identity may be among them.
    Count(usize),
}

/// The counted identities by date, in as much memory as is allowed.
#[derive(Debug)]
pub struct Seen {
    days: BTreeMap<i32, Day>,
    /// What the table said of identities that may be in the past of a date; `None`: not in it.
    answers: HashMap<Hash, Option<Held>>,
    bytes_max: usize,
}

impl Default for Seen {
    fn default() -> Self {
        Self::bounded(usize::MAX)
    }
}

impl Seen {
    /// Holds at most so many bytes.
    pub fn bounded(bytes_max: usize) -> Self {
        Self { days: BTreeMap::new(), answers: HashMap::new(), bytes_max }
    }

    /// What an event is to those counted before, as far as is known without reading: whoever has
    /// not asked for [`Seen::candidates`] and answered them may be told `New` of an old identity.
    pub fn judge(&self, identity: &Identity) -> Verdict {
        match self.known(&identity.identity_hash) {
            None => Verdict::New,
            Some(row) if row.content == identity.content_hash => Verdict::Duplicate,
            Some(_) => Verdict::Conflict,
        }
    }

    /// Why an event may change the row of its identity; `None`: it may not.
    pub fn may_change(&self, event: &CallEvent, identity: &Identity) -> Option<&'static str> {
        if event.corrects {
            return Some("correction");
        }
        let counted = self.known(&identity.identity_hash);
        let finalizes = !event.provisional && counted.is_some_and(|row| row.is_provisional);
        finalizes.then_some("finalization")
    }

    /// The dates in whose past an identity may be, unless it is known.
    pub fn candidates(&self, identity: &Identity) -> Vec<i32> {
        let hash = &identity.identity_hash;
        if self.answers.contains_key(hash) || self.held(hash).is_some() {
            return Vec::new();
        }
        let days = self.days.iter().filter(|(_, day)| day.past.may_contain(hash));
        days.map(|(date, _)| *date).collect()
    }

    /// Keeps what the table says of candidates, until [`Seen::forget_answers`].
    pub fn answer(&mut self, identity_hash: Hash, row: Option<Held>) {
        self.answers.insert(identity_hash, row);
    }

    /// Drops the answers: they hold for the version that they were read from.
    pub fn forget_answers(&mut self) {
        self.answers = HashMap::new();
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::bounded(self.bytes_max);
    }

    /// Remembers a row of a date.
    pub fn insert(&mut self, date: i32, row: &Counted) {
        let day = self.days.entry(date).or_default();
        day.held.insert(row.identity.identity_hash, row.into());
    }

    /// Remembers a row that replaced the one its identity had, maybe on another date.
    pub fn replace(&mut self, date: i32, row: &Counted) {
        for day in self.days.values_mut() {
            day.held.remove(&row.identity.identity_hash);
        }
        self.insert(date, row);
    }

    /// Remembers what a row will become: it still is where it was.
    pub fn correct(&mut self, date: i32, row: &Counted) {
        let hash = &row.identity.identity_hash;
        match self.days.values_mut().find_map(|day| day.held.get_mut(hash)) {
            Some(held) => *held = row.into(),
            None => self.insert(date, row),
        }
    }

    /// Keeps less of the oldest dates until a quarter of the memory is free, once all is taken.
    pub fn shrink(&mut self) {
        if self.bytes() <= self.bytes_max {
            return;
        }
        let enough = self.bytes_max / 4 * 3;
        let dates: Vec<i32> = self.days.keys().copied().collect();
        for step in [Day::compact, Day::let_go] {
            for date in &dates {
                if self.bytes() <= enough {
                    return;
                }
                self.days.get_mut(date).into_iter().for_each(step);
            }
        }
    }

    /// How many identities are known.
    pub fn count(&self) -> usize {
        self.days.values().map(|day| day.held.len() + day.past.count()).sum()
    }

    /// The memory that they take.
    pub fn bytes(&self) -> usize {
        self.days.values().map(Day::bytes).sum()
    }

    /// How many dates cannot tell which identities they hold: each batch has to read them.
    pub fn dates_let_go(&self) -> usize {
        self.days.values().filter(|day| matches!(day.past, Past::Count(count) if count > 0)).count()
    }

    fn known(&self, hash: &Hash) -> Option<Held> {
        self.held(hash).or_else(|| self.answers.get(hash).copied().flatten())
    }

    fn held(&self, hash: &Hash) -> Option<Held> {
        self.days.values().rev().find_map(|day| day.held.get(hash)).copied()
    }
}

impl Day {
    fn bytes(&self) -> usize {
        // A hash table has 8/7 of its capacity in slots, and a byte beside each.
        let slots = self.held.capacity() / 7 * 8;
        let past = match &self.past {
            Past::Fingerprints(fingerprints) => fingerprints.bytes(),
            Past::Count(_) => 0,
        };
        slots * (size_of::<Hash>() + size_of::<Held>() + 1) + past
    }

    /// Keeps some bytes of each identity.
    fn compact(&mut self) {
        let held = std::mem::take(&mut self.held);
        match &mut self.past {
            Past::Fingerprints(fingerprints) => fingerprints.extend(held.into_keys()),
            Past::Count(count) => *count += held.len(),
        }
    }

    /// Keeps nothing but how many there are.
    fn let_go(&mut self) {
        self.past = Past::Count(self.past.count());
    }
}

impl Default for Past {
    fn default() -> Self {
        Self::Fingerprints(Fingerprints::default())
    }
}

impl Past {
    fn may_contain(&self, hash: &Hash) -> bool {
        match self {
            Self::Fingerprints(fingerprints) => fingerprints.may_contain(hash),
            Self::Count(count) => *count > 0,
        }
    }

    const fn count(&self) -> usize {
        match self {
            Self::Fingerprints(fingerprints) => fingerprints.count(),
            Self::Count(count) => *count,
        }
    }
}
