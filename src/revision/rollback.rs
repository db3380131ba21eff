//! A revision taken back: one more revision, to the rows as they were before it.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::{filter_record_batch, interleave_record_batch};
use arrow::datatypes::Int32Type;
use futures::TryStreamExt;

use super::RevisionError;
use super::change::{Change, Changed};
use super::stored::{identities, named, nullable, texts};
use crate::lake::{DataFile, Lake, LakeError, OpenFile, Side, Snapshot, TableName};

/// Puts rows back as they were before a revision.
#[derive(Clone)]
pub(super) struct Rollback<'a> {
    lake: &'a Lake,
    files: &'a [DataFile],
    id: &'a str,
    /// Rows that the revision moved to another date: that date, by identity.
    moved: Arc<HashMap<[u8; 16], Option<String>>>,
    /// The rows before it, of those that are at the date at hand.
    before: Vec<RecordBatch>,
    /// Of each identity the place of its row in there, and its number after the revision.
    rows: HashMap<[u8; 16], Place>,
    rows_changed: u64,
    /// Rows that were changed again since.
    changed_since: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    before: Option<(usize, usize)>,
    revision: i32,
}

impl<'a> Rollback<'a> {
    /// Takes back the revision of that id, of which `files` of `call_revisions` tell.
    pub fn new(lake: &'a Lake, files: &'a [DataFile], id: &'a str) -> Self {
        let (moved, before, rows) = (Arc::default(), Vec::new(), HashMap::new());
        Self { lake, files, id, moved, before, rows, rows_changed: 0, changed_since: 0 }
    }

    /// The rows of one side of the revision in a batch of `call_revisions`.
    fn side(&self, rows: &RecordBatch, side: Side) -> Result<RecordBatch, RevisionError> {
        let ids = texts(rows, "revision_id")?.iter().zip(texts(rows, "side")?);
        let ours = ids.map(|(id, of)| Some(id == Some(self.id) && of == Some(side.name())));
        Ok(filter_record_batch(rows, &ours.collect::<BooleanArray>())?)
    }

    fn after(&mut self, rows: &RecordBatch) -> Result<(), RevisionError> {
        let rows = self.side(rows, Side::After)?;
        for (hash, revision) in identities(&rows)?.into_iter().zip(numbers(&rows)?) {
            self.rows.entry(hash).or_default().revision = revision;
        }
        Ok(())
    }

    /// Takes in the rows before, if they are at that date now.
    fn before(
        &mut self,
        rows: &RecordBatch,
        is_here: bool,
        date: Option<&str>,
    ) -> Result<(), RevisionError> {
        let rows = self.side(rows, Side::Before)?;
        let batch = self.before.len();
        let mut any = false;
        for (row, hash) in identities(&rows)?.into_iter().enumerate() {
            let at = self.moved.get(&hash);
            if at.map_or(is_here, |at| at.as_deref() == date) {
                self.rows.entry(hash).or_default().before = Some((batch, row));
                any = true;
            }
        }
        if any {
            let calls = self.lake.table(TableName::Calls).spec();
            let columns = calls.columns.iter().map(|column| column.name);
            let columns = columns.map(|name| Ok((name, named(&rows, name)?.clone(), true)));
            let columns = columns.collect::<Result<Vec<_>, RevisionError>>()?;
            self.before.push(RecordBatch::try_from_iter_with_nullable(columns)?);
        }
        Ok(())
    }

    fn read<'t>(
        &self,
        file: &'t DataFile,
        columns: Option<&'t [&'t str]>,
    ) -> impl Future<Output = Result<OpenFile, LakeError>> + use<'a, 't> {
        self.lake.table(TableName::CallRevisions).open_file(file, columns)
    }
}

impl Change for Rollback<'_> {
    async fn prepare(&mut self, _: &Snapshot) -> Result<(), RevisionError> {
        let (mut from, mut to) = (HashMap::new(), HashMap::new());
        for file in self.files {
            let columns = ["revision_id", "side", "identity_hash"];
            let mut rows = self.read(file, Some(&columns)).await?.rows;
            while let Some(batch) = rows.try_next().await? {
                for (side, dates) in [(Side::Before, &mut from), (Side::After, &mut to)] {
                    let hashes = identities(&self.side(&batch, side)?)?;
                    dates.extend(hashes.into_iter().map(|hash| (hash, file.date.clone())));
                }
            }
        }
        to.retain(|hash, date| from.get(hash) != Some(date));
        self.moved = Arc::new(to);
        Ok(())
    }

    fn may_touch(&self, file: &DataFile) -> bool {
        self.files.iter().any(|sides| sides.date == file.date)
    }

    async fn begin(&mut self, date: Option<&str>) -> Result<(), RevisionError> {
        self.before.clear();
        self.rows.clear();
        for file in self.files {
            let is_here = file.date.as_deref() == date;
            if !is_here && self.moved.is_empty() {
                continue;
            }
            let mut rows = self.read(file, None).await?.rows;
            while let Some(batch) = rows.try_next().await? {
                if is_here {
                    self.after(&batch)?;
                }
                self.before(&batch, is_here, date)?;
            }
        }
        Ok(())
    }

    fn of(&mut self, rows: &RecordBatch) -> Result<Option<Changed>, RevisionError> {
        let mut mask = vec![false; rows.num_rows()];
        let mut picks: Vec<(usize, usize)> = (0..rows.num_rows()).map(|row| (0, row)).collect();
        let stored = identities(rows)?.into_iter().zip(numbers(rows)?);
        let slots = mask.iter_mut().zip(&mut picks);
        for ((hash, revision), (mask, pick)) in stored.zip(slots) {
            let Some(Place { before, revision: left }) = self.rows.get(&hash) else { continue };
            match before {
                Some((batch, row)) if *left == revision => {
                    *pick = (batch + 1, *row);
                    *mask = true;
                    self.rows_changed += 1;
                }
                // A row that the revision itself has added stays.
                None if *left == revision => {}
                _ => self.changed_since += 1,
            }
        }
        let current = nullable(rows)?;
        let from: Vec<&RecordBatch> = std::iter::once(&current).chain(&self.before).collect();
        Ok(Changed::new(interleave_record_batch(&from, &picks)?, mask.into()))
    }

    fn rows_changed(&self) -> u64 {
        self.rows_changed
    }

    fn check(&self) -> Result<(), RevisionError> {
        match self.changed_since {
            0 => Ok(()),
            rows => Err(RevisionError::ChangedSince { id: self.id.to_owned(), rows }),
        }
    }
}

fn numbers(rows: &RecordBatch) -> Result<Vec<i32>, RevisionError> {
    let numbers = named(rows, "revision")?.as_primitive_opt::<Int32Type>();
    let numbers = numbers.ok_or_else(|| RevisionError::misfit("`revision` is no number"))?;
    Ok(numbers.values().to_vec())
}
