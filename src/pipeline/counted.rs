//! The identities of `calls` as of a version: read in from what others added, confirmed by reading.
//!
//! In: the version that a commit builds on, and a batch. Out: a set that judges the batch exactly.

use std::collections::{BTreeMap, HashMap};

use futures::TryStreamExt;

use super::batch::{Decided, Pending, counted};
use super::seen::{Held, Seen};
use crate::lake::{CallRow, Correction, DataFile, LakeError, Snapshot, Table};

/// The identities of `calls`.
#[derive(Debug)]
pub struct CountedIdentities {
    /// What is in memory of them.
    pub seen: Seen,
    /// The version up to which they are known.
    at: Option<Snapshot>,
    /// How many identities the table was asked for: those it had, those it had not.
    pub asked: Asked,
}

/// Identities that were looked up in the table.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// It had them.
    pub found: u64,
    /// It had not.
    pub absent: u64,
}

impl CountedIdentities {
    /// None yet, and at most so many bytes of them.
    pub fn bounded(bytes_max: usize) -> Self {
        Self { seen: Seen::bounded(bytes_max), at: None, asked: Asked::default() }
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
        self.seen.forget_answers();
        let added = match &self.at {
            Some(known) => calls.added_since(known.version(), upto).await?,
            None => None,
        };
        let is_all = added.is_none();
        let mut files = match added {
            Some(added) => added,
            None => upto.files().await?.to_vec(),
        };
        if is_all {
            self.seen.clear();
            files.sort_by_key(DataFile::days);
        }
        let mut read = calls.identities(&files);
        while let Some(identities) = read.try_next().await? {
            let date = identities.days.unwrap_or_default();
            for row in &identities.rows {
                // What others added since may be rows that were changed.
                if is_all {
                    self.seen.insert(date, row);
                } else {
                    self.seen.replace(date, row);
                }
            }
            self.seen.shrink();
        }
        self.at = Some(upto.clone());
        Ok(())
    }

    /// Asks the table for the identities of a batch that may be in a date which is not held whole:
    /// after it the batch is judged exactly.
    ///
    /// # Errors
    /// [`LakeError`] when a file cannot be read.
    pub async fn confirm(
        &mut self,
        calls: &Table,
        on: &Snapshot,
        rows: &[Pending],
    ) -> Result<(), LakeError> {
        let mut asked: HashMap<[u8; 16], Option<Held>> = HashMap::new();
        let mut by_date: BTreeMap<i32, usize> = BTreeMap::new();
        for pending in rows {
            let identity = &pending.row.charge.identity;
            for date in self.seen.candidates(identity) {
                asked.insert(identity.identity_hash, None);
                *by_date.entry(date).or_default() += 1;
            }
        }
        if asked.is_empty() {
            return Ok(());
        }
        let all = on.files().await?;
        let is_candidate =
            |file: &&DataFile| by_date.contains_key(&file.days().unwrap_or_default());
        let files: Vec<DataFile> = all.iter().filter(is_candidate).cloned().collect();
        let mut read = calls.identities(&files);
        while let Some(identities) = read.try_next().await? {
            for row in &identities.rows {
                let identity = row.identity.identity_hash;
                asked.entry(identity).and_modify(|found| *found = Some(row.into()));
            }
        }
        for (identity, row) in asked {
            let count = if row.is_some() { &mut self.asked.found } else { &mut self.asked.absent };
            *count += 1;
            self.seen.answer(identity, row);
        }
        Ok(())
    }

    /// Remembers the rows of a batch that was committed as a version.
    pub fn landed(&mut self, batch: &Decided, version: &Snapshot) {
        self.seen.forget_answers();
        for pending in &batch.rows {
            self.seen.insert(date_of(&pending.row), &counted(&pending.row));
        }
        for Correction { row, .. } in &batch.corrections_committed {
            self.seen.correct(date_of(row), &counted(row));
        }
        self.seen.shrink();
        // Only a version right after the last one known holds nobody else's rows.
        if self.at.as_ref().is_some_and(|known| known.version() + 1 == version.version()) {
            self.at = Some(version.clone());
        }
    }
}

/// The date that a row is stored under.
fn date_of(row: &CallRow) -> i32 {
    row.charge.event.occurred_at.days()
}
