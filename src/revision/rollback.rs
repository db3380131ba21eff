//! A revision taken back: one more revision, to the rows as they were before it.

use std::collections::HashMap;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::{filter_record_batch, interleave_record_batch};
use arrow::datatypes::Int32Type;
use futures::TryStreamExt;

use super::RevisionError;
use super::change::{Change, Changed};
use super::stored::{identities, named, nullable, texts};
use crate::lake::{DataFile, Lake, Side, Table, TableName, TableSpec};

/// Puts rows back as they were before a revision.
#[derive(Clone)]
pub(super) struct Rollback<'a> {
    lake: &'a Lake,
    files: &'a [DataFile],
    id: &'a str,
    /// The rows before it, of the date at hand.
    before: Vec<RecordBatch>,
    /// Of each identity the place of its row in there, and its number after the revision.
    rows: HashMap<[u8; 16], Place>,
    rows_changed: u64,
    /// Rows that were changed again since.
    changed_since: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    batch: usize,
    row: usize,
    revision: i32,
}

impl<'a> Rollback<'a> {
    /// Takes back the revision of that id, of which `files` of `call_revisions` tell.
    pub fn new(lake: &'a Lake, files: &'a [DataFile], id: &'a str) -> Self {
        let (before, rows) = (Vec::new(), HashMap::new());
        Self { lake, files, id, before, rows, rows_changed: 0, changed_since: 0 }
    }

    fn table(&self) -> &'a Table {
        self.lake.table(TableName::CallRevisions)
    }

    /// Takes in the sides of the revision that a batch of `call_revisions` has.
    fn take(&mut self, rows: &RecordBatch, calls: &TableSpec) -> Result<(), RevisionError> {
        let (ids, sides) = (texts(rows, "revision_id")?, texts(rows, "side")?);
        for side in [Side::Before, Side::After] {
            let ours = ids.iter().zip(sides.iter());
            let ours = ours.map(|(id, of)| Some(id == Some(self.id) && of == Some(side.name())));
            let rows = filter_record_batch(rows, &ours.collect::<BooleanArray>())?;
            let revisions = numbers(&rows)?;
            let (batch, hashes) = (self.before.len(), identities(&rows)?);
            for (row, (hash, revision)) in hashes.into_iter().zip(revisions).enumerate() {
                let place = self.rows.entry(hash).or_default();
                if side == Side::Before {
                    (place.batch, place.row) = (batch, row);
                } else {
                    place.revision = revision;
                }
            }
            if side == Side::Before && rows.num_rows() > 0 {
                let names = calls.columns.iter().map(|column| column.name);
                let columns = names.map(|name| Ok((name, named(&rows, name)?.clone())));
                let columns = columns.collect::<Result<Vec<_>, RevisionError>>()?;
                self.before.push(RecordBatch::try_from_iter_with_nullable(
                    columns.into_iter().map(|(name, column)| (name, column, true)),
                )?);
            }
        }
        Ok(())
    }
}

impl Change for Rollback<'_> {
    fn may_touch(&self, file: &DataFile) -> bool {
        self.files.iter().any(|sides| sides.date == file.date)
    }

    async fn begin(&mut self, date: Option<&str>) -> Result<(), RevisionError> {
        self.before.clear();
        self.rows.clear();
        let calls = self.lake.table(TableName::Calls).spec();
        for file in self.files.iter().filter(|file| file.date.as_deref() == date) {
            let mut rows = self.table().open_file(file, None).await?.rows;
            while let Some(batch) = rows.try_next().await? {
                self.take(&batch, calls)?;
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
            match self.rows.get(&hash) {
                Some(place) if place.revision == revision => {
                    *pick = (place.batch + 1, place.row);
                    *mask = true;
                    self.rows_changed += 1;
                }
                Some(_) => self.changed_since += 1,
                None => {}
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
