//! Which identities have been counted, and with which content.
//!
//! In: the hashes of committed rows, then of each event. Out: whether it is new. The set is a copy
//! of what the table holds: rebuilt from it at start, extended after each commit.

use std::collections::HashMap;

use crate::event::Identity;

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

impl Verdict {
    /// This verdict, unless it is `New` and the other knows more.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self == Self::New { other } else { self }
    }
}

/// Content hashes by identity hash: 32 bytes a row and the map's own.
#[derive(Debug, Default)]
pub struct Seen {
    contents: HashMap<[u8; 16], [u8; 16]>,
}

impl Seen {
    /// What an event is to those counted before.
    pub fn judge(&self, identity: &Identity) -> Verdict {
        match self.contents.get(&identity.identity_hash) {
            None => Verdict::New,
            Some(content) if *content == identity.content_hash => Verdict::Duplicate,
            Some(_) => Verdict::Conflict,
        }
    }

    /// Remembers a counted row; the first content of an identity stays.
    pub fn insert(&mut self, identity: Identity) {
        self.contents.entry(identity.identity_hash).or_insert(identity.content_hash);
    }

    /// How many identities are known.
    pub fn count(&self) -> usize {
        self.contents.len()
    }
}
