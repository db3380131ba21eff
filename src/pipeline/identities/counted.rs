//! The identities of `calls` as of a version: read in from what others added.
//!
//! In: the version that a commit builds on, and a batch. Out: a set that judges the batch exactly.

use std::path::Path;

use futures::TryStreamExt;

use super::seen::{Seen, Verdict};
use crate::event::Identity;
use crate::lake::{LakeError, Snapshot, Table};
use crate::pipeline::batch::Decided;

/// The identities of `calls`.
#[derive(Debug)]
pub struct CountedIdentities {
    /// All of them.
    pub seen: Seen,
    /// The version up to which they are known.
    at: Option<Snapshot>,
    /// How many identities were looked up on the disk: those that were there, those that were not.
    pub asked: Asked,
}

/// Identities that were looked up on the disk.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// They were there.
    pub found: u64,
    /// They were not.
    pub absent: u64,
}

impl CountedIdentities {
    /// None yet; they will take so many bytes of memory, and a folder's disk.
    pub fn bounded(bytes_max: usize, folder: &Path) -> Self {
        Self { seen: Seen::bounded(bytes_max, folder), at: None, asked: Asked::default() }
    }

    /// Reads the identities that were committed up to a version: of all files or, where the log
    /// reaches back so far, of those added since the last version known.
    ///
    /// # Errors
    /// [`LakeError`] when a file cannot be read.
    pub async fn learn(&mut self, calls: &Table, upto: &Snapshot) -> Result<(), LakeError> {
        if self.at.as_ref().is_some_and(|known| known.version() == upto.version()) {
            return Ok(());
        }
        let added = match &self.at {
            Some(known) => calls.added_since(known.version(), upto).await?,
            None => None,
        };
        let files = match added {
            Some(added) => added,
            None => {
                self.at = None;
                self.seen.clear();
                upto.files().await?.to_vec()
            }
        };
        let mut read = calls.identities(&files);
        while let Some(rows) = read.try_next().await? {
            rows.iter().for_each(|row| self.seen.insert(row));
            self.make_room().await?;
        }
        self.at = Some(upto.clone());
        Ok(())
    }

    /// Looks up identities that may be on the disk: after it they are judged exactly.
    ///
    /// # Errors
    /// [`LakeError::Internal`] when what is on the disk cannot be read.
    pub async fn look_up(
        &mut self,
        identities: impl Iterator<Item = &Identity>,
    ) -> Result<(), LakeError> {
        let search = self.seen.search(identities);
        if search.is_empty() {
            return Ok(());
        }
        let found = tokio::task::spawn_blocking(move || search.run()).await;
        let found = found.map_err(std::io::Error::other).flatten().map_err(failed)?;
        for (_, row) in &found {
            let count = if row.is_some() { &mut self.asked.found } else { &mut self.asked.absent };
            *count += 1;
        }
        self.seen.answer(found);
        Ok(())
    }

    /// Moves identities to the disk when memory is used up.
    ///
    /// # Errors
    /// [`LakeError::Internal`] when it panicked.
    pub async fn make_room(&mut self) -> Result<(), LakeError> {
        self.seen.tend();
        if !self.seen.is_full() {
            return Ok(());
        }
        // Whoever gives up waiting has to read all of them anew.
        let at = self.at.take();
        let mut seen = std::mem::take(&mut self.seen);
        let moved = tokio::task::spawn_blocking(move || {
            seen.spill();
            seen
        });
        self.seen = moved.await.map_err(failed)?;
        self.at = at;
        Ok(())
    }

    /// Remembers the rows of a batch that was committed as a version.
    pub fn landed(&mut self, batch: &Decided, version: &Snapshot) {
        batch.counted().for_each(|row| self.seen.insert(&row));
        for row in batch.corrected() {
            // What was to be corrected may have been dropped with its partition: it is not
            // counted, and its event will come again.
            if self.seen.judge(&row.identity) != Verdict::New {
                self.seen.insert(&row);
            }
        }
        self.seen.forget_answers();
        // Only a version right after the last one known holds nobody else's rows.
        if self.at.as_ref().is_some_and(|known| known.version() + 1 == version.version()) {
            self.at = Some(version.clone());
        }
    }
}

fn failed(why: impl ToString) -> LakeError {
    let (what, why) = ("keeping identities on the disk".to_owned(), why.to_string());
    LakeError::Internal { what, why }
}
