//! The counted identities: the latest in memory, the others in sorted runs on the disk.
//!
//! When the memory is used up, what is in it becomes a run; a run that has grown to half of the one
//! before is merged with it, so that few are to be searched. What is newer holds.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use tracing::warn;

use super::run::{Entry, Hash, Held, Run};
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

impl From<&Counted> for Held {
    fn from(row: &Counted) -> Self {
        Self { content: row.identity.content_hash, is_provisional: row.is_provisional }
    }
}

/// The counted identities, in as much memory as is allowed.
#[derive(Debug)]
pub struct Seen {
    recent: HashMap<Hash, Held>,
    /// As many as this are kept in memory.
    recent_max: usize,
    /// When to try and move them to a run: later than that, once it has failed.
    spill_beyond: usize,
    /// The oldest first.
    runs: Vec<Arc<Run>>,
    merging: Option<Merging>,
    /// Whether the last merge failed: the next run gives it another try.
    is_merge_failed: bool,
    /// What the runs said of identities; `None`: they are not there.
    answers: HashMap<Hash, Option<Held>>,
    folder: PathBuf,
}

/// Two neighbouring runs that become one.
#[derive(Debug)]
struct Merging {
    /// The place of the older one.
    at: usize,
    thread: JoinHandle<io::Result<Run>>,
}

/// Looks identities up in the runs, for which it needs no more of [`Seen`].
#[derive(Debug)]
pub struct Search {
    wanted: Vec<Hash>,
    runs: Vec<Arc<Run>>,
}

impl Default for Seen {
    fn default() -> Self {
        Self::bounded(usize::MAX, Path::new(""))
    }
}

impl Seen {
    /// Takes about so many bytes of memory, a part of which is what a new run is sorted in; runs
    /// are in a folder.
    pub fn bounded(bytes_max: usize, folder: &Path) -> Self {
        // A hash table has a power of two of slots, 7/8 of which it fills, and a byte beside each.
        let slots = (bytes_max / 2 / SLOT).checked_ilog2().map_or(0, |log| 1 << log);
        let recent_max = slots / 8 * 7;
        Self {
            recent: HashMap::new(),
            recent_max,
            spill_beyond: recent_max,
            runs: Vec::new(),
            merging: None,
            is_merge_failed: false,
            answers: HashMap::new(),
            folder: folder.to_owned(),
        }
    }

    /// What an event is to those counted before, as far as is known without reading: whoever has
    /// not searched for it ([`Seen::search`]) may be told `New` of an old identity.
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

    /// What is to be looked up before identities can be judged.
    pub fn search<'a>(&self, identities: impl Iterator<Item = &'a Identity>) -> Search {
        let is_asked = |hash: &Hash| {
            !self.runs.is_empty()
                && !self.recent.contains_key(hash)
                && !self.answers.contains_key(hash)
        };
        let mut wanted: Vec<Hash> =
            identities.map(|identity| identity.identity_hash).filter(is_asked).collect();
        wanted.sort_unstable();
        wanted.dedup();
        Search { wanted, runs: self.runs.clone() }
    }

    /// Keeps what a search has found, until [`Seen::forget_answers`].
    pub fn answer(&mut self, found: impl IntoIterator<Item = (Hash, Option<Held>)>) {
        self.answers.extend(found);
    }

    /// Drops the answers.
    pub fn forget_answers(&mut self) {
        self.answers = HashMap::new();
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.recent.clear();
        self.runs.clear();
        self.merging = None;
        self.forget_answers();
    }

    /// Remembers a row; of what was known of its identity, nothing holds any more.
    pub fn insert(&mut self, row: &Counted) {
        self.recent.insert(row.identity.identity_hash, row.into());
    }

    /// Whether memory is used up: time for [`Seen::spill`].
    pub fn is_full(&self) -> bool {
        self.recent.len() > self.spill_beyond
    }

    /// Moves what is in memory to a run. Where the folder does not take it, memory grows on, and
    /// nothing is forgotten.
    pub fn spill(&mut self) {
        if self.recent.is_empty() {
            return;
        }
        let mut entries: Vec<Entry> = self.recent.iter().map(|(hash, row)| (*hash, *row)).collect();
        entries.sort_unstable_by_key(|(hash, _)| *hash);
        match Run::write(&self.folder, entries.into_iter().map(Ok)) {
            Ok(run) => {
                self.recent.clear();
                self.spill_beyond = self.recent_max;
                self.runs.push(Arc::new(run));
                self.is_merge_failed = false;
                // They were right for the runs there were.
                self.forget_answers();
            }
            Err(error) => {
                self.spill_beyond = self.recent.len() + self.recent_max / 8;
                self.warn("identities stay in memory", &error);
            }
        }
    }

    /// Takes in the runs that were merged meanwhile, and begins with the next that are due.
    pub fn tend(&mut self) {
        if let Some(Merging { at, thread }) = self.merging.take_if(|it| it.thread.is_finished()) {
            let panicked = |_| io::Error::other("a panic");
            match thread.join().map_err(panicked).flatten() {
                Ok(run) => drop(self.runs.splice(at..at + 2, [Arc::new(run)])),
                Err(error) => {
                    self.is_merge_failed = true;
                    self.warn("sorted identities stay as they are", &error);
                }
            }
        }
        if self.merging.is_none() && !self.is_merge_failed {
            self.merging = self.due().and_then(|at| self.merge(at));
        }
    }

    /// How many identities are known; those of a row that was changed may count twice.
    pub fn count(&self) -> usize {
        self.recent.len() + self.runs.iter().map(|run| run.count()).sum::<usize>()
    }

    /// The memory that they take.
    pub fn bytes(&self) -> usize {
        let slots = self.recent.capacity() / 7 * 8;
        slots * SLOT + self.runs.iter().map(|run| run.bytes()).sum::<usize>()
    }

    /// What they take on the disk.
    pub fn disk_bytes(&self) -> usize {
        self.runs.iter().map(|run| run.disk_bytes()).sum()
    }

    /// How many runs there are.
    #[cfg(test)]
    pub const fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Whether two of them are being merged.
    #[cfg(test)]
    pub const fn is_merging(&self) -> bool {
        self.merging.is_some()
    }

    fn known(&self, hash: &Hash) -> Option<Held> {
        self.recent.get(hash).copied().or_else(|| self.answers.get(hash).copied().flatten())
    }

    /// The place of the youngest run that the next one has caught up with.
    fn due(&self) -> Option<usize> {
        let counts: Vec<usize> = self.runs.iter().map(|run| run.count()).collect();
        counts.array_windows().rposition(|[older, newer]| *newer >= *older / 2)
    }

    fn merge(&self, at: usize) -> Option<Merging> {
        let [older, newer] = [at, at + 1].map(|at| self.runs.get(at).cloned());
        let (older, newer, folder) = (older?, newer?, self.folder.clone());
        let work = move || Run::merge(&folder, &newer, &older);
        match std::thread::Builder::new().name("identities".to_owned()).spawn(work) {
            Ok(thread) => Some(Merging { at, thread }),
            Err(error) => {
                self.warn("sorted identities stay as they are", &error);
                None
            }
        }
    }

    fn warn(&self, what: &str, error: &io::Error) {
        warn!(%error, folder = %self.folder.display(), "{what}");
    }
}

impl Search {
    /// Whether there is nothing to look up.
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Reads.
    ///
    /// # Errors
    /// When a run cannot be read.
    pub fn run(self) -> io::Result<Vec<(Hash, Option<Held>)>> {
        let find = |hash: &Hash| {
            let mut found = self.runs.iter().rev().map(|run| run.get(hash));
            found.find_map(Result::transpose).transpose()
        };
        self.wanted.iter().map(|hash| Ok((*hash, find(hash)?))).collect()
    }
}

/// Bytes that an identity takes in memory.
const SLOT: usize = size_of::<Hash>() + size_of::<Held>() + 1;
