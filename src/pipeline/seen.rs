//! Which identities have been counted, and with which content.
//!
//! In: the hashes of committed rows, then of each event. Out: whether it is new. The set is a copy
//! of what the table holds: rebuilt from it at start, extended after each commit.

use std::collections::{HashMap, HashSet};

use crate::event::{CallEvent, Identity};

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

/// Content hashes by identity hash: 32 bytes a row and the map's own.
#[derive(Debug, Default)]
pub struct Seen {
    contents: HashMap<[u8; 16], [u8; 16]>,
    /// Identities whose row a later event will finalize.
    provisional: HashSet<[u8; 16]>,
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

    /// Remembers a row, or what one becomes by a correction.
    pub fn insert(&mut self, identity: Identity, is_provisional: bool) {
        let Identity { identity_hash, content_hash } = identity;
        self.contents.insert(identity_hash, content_hash);
        if is_provisional {
            self.provisional.insert(identity_hash);
        } else {
            self.provisional.remove(&identity_hash);
        }
    }

    /// Why an event may change the row of its identity; `None`: it may not.
    pub fn may_change(&self, event: &CallEvent, identity: &Identity) -> Option<&'static str> {
        if event.corrects {
            return Some("correction");
        }
        let finalizes = !event.provisional && self.provisional.contains(&identity.identity_hash);
        finalizes.then_some("finalization")
    }

    /// How many identities are known.
    pub fn count(&self) -> usize {
        self.contents.len()
    }
}
