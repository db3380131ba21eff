//! Rows of one batch as they are to be, and how they are put among those that stay.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Datum, Int32Array, RecordBatch, Scalar, StringArray,
    TimestampMicrosecondArray,
};
use arrow::compute::filter_record_batch;
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::Int32Type;

use super::RevisionError;
use super::stored::{instants, named};
use crate::lake::{Batch, DataFile, Revision, Snapshot};
use crate::time::Timestamp;

/// What a revision does to rows.
pub(super) trait Change: Clone {
    /// Gets ready for the rows of a version of `calls`.
    ///
    /// # Errors
    /// [`RevisionError`].
    async fn prepare(&mut self, on: &Snapshot) -> Result<(), RevisionError> {
        let _ = on;
        Ok(())
    }

    /// Whether a file may hold rows that it changes.
    fn may_touch(&self, file: &DataFile) -> bool;

    /// Gets ready for the files of a date.
    ///
    /// # Errors
    /// [`RevisionError`].
    async fn begin(&mut self, date: Option<&str>) -> Result<(), RevisionError> {
        let _ = date;
        Ok(())
    }

    /// The rows of a batch that change; `None` when none does.
    ///
    /// # Errors
    /// [`RevisionError`].
    fn of(&mut self, rows: &RecordBatch) -> Result<Option<Changed>, RevisionError>;

    /// How many rows it has changed so far.
    fn rows_changed(&self) -> u64;

    /// Whether it may be applied, once all rows were seen.
    ///
    /// # Errors
    /// Why not.
    fn check(&self) -> Result<(), RevisionError> {
        Ok(())
    }

    /// Rows that are added, beside those that change.
    fn additions(&self) -> &[Batch] {
        &[]
    }

    /// What the commit says beside: application ids and versions.
    fn transactions(&self) -> &[(String, i64)] {
        &[]
    }
}

/// Rows of a batch that change.
#[derive(Debug, Clone)]
pub(super) struct Changed {
    /// The batch with all columns as they are to be where `mask` says so; anything elsewhere. Its
    /// revision columns are not raised yet.
    rows: RecordBatch,
    /// Which rows change.
    mask: BooleanArray,
}

/// A batch after a revision, and both sides of it.
#[derive(Debug, Clone)]
pub(super) struct Revised {
    /// The rows of the batch that stay in its date.
    pub rows: RecordBatch,
    /// The changed rows as they were.
    pub before: RecordBatch,
    /// Those of them that stay in its date, as they are then.
    pub after: RecordBatch,
    /// Those of them that move to another date, as they are then.
    pub moved: Vec<Batch>,
}

impl Changed {
    /// Rows that take the place of others where `mask` says so; `None` when it says so nowhere.
    pub fn new(rows: RecordBatch, mask: BooleanArray) -> Option<Self> {
        (mask.true_count() > 0).then_some(Self { rows, mask })
    }

    /// Which rows change.
    pub const fn mask(&self) -> &BooleanArray {
        &self.mask
    }

    /// The rows as they are to be.
    pub const fn rows(&self) -> &RecordBatch {
        &self.rows
    }

    /// Puts the changed rows among those that stay, as a revision of `old`, which is of a date.
    ///
    /// # Errors
    /// [`RevisionError::Lake`] when the rows do not have the columns of `old`.
    pub fn put_into(
        &self,
        old: &RecordBatch,
        date: Option<i32>,
        revision: &Revision,
    ) -> Result<Revised, RevisionError> {
        let schema = old.schema();
        let columns = schema.fields().iter().map(|field| {
            let (before, after) = (named(old, field.name())?, named(&self.rows, field.name())?);
            match field.name().as_str() {
                "revision" => self.raised(before),
                "revised_at" => self.each(&revised_at(revision), before),
                "revision_reason" => self.each(&reason(revision), before),
                _ if Arc::ptr_eq(before, after) => Ok(Arc::clone(before)),
                _ => self.each(after, before),
            }
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let rows = RecordBatch::try_new(schema, columns)?;
        let before = filter_record_batch(old, &self.mask)?;
        let dates: Vec<i32> = instants(&rows, "occurred_at")?.map(Timestamp::days).collect();
        let moves = |place: usize, to: i32| self.mask.value(place) && Some(to) != date;
        let targets: BTreeSet<i32> = dates
            .iter()
            .enumerate()
            .filter_map(|(place, to)| moves(place, *to).then_some(*to))
            .collect();
        let of = |wanted: &dyn Fn(usize, i32) -> bool| {
            let wanted = dates.iter().enumerate().map(|(place, to)| Some(wanted(place, *to)));
            filter_record_batch(&rows, &wanted.collect::<BooleanArray>())
        };
        let after = of(&|place, to| self.mask.value(place) && !moves(place, to))?;
        let moved = targets.into_iter().map(|target| {
            let rows = of(&|place, to| moves(place, to) && to == target)?;
            Ok(Batch { date: Some(target), rows })
        });
        let moved = moved.collect::<Result<Vec<_>, RevisionError>>()?;
        let rows = if moved.is_empty() { rows } else { of(&|place, to| !moves(place, to))? };
        Ok(Revised { rows, before, after, moved })
    }

    fn each(&self, after: &dyn Datum, before: &ArrayRef) -> Result<ArrayRef, RevisionError> {
        Ok(zip(&self.mask, after, before)?)
    }

    fn raised(&self, before: &ArrayRef) -> Result<ArrayRef, RevisionError> {
        let numbers = before.as_primitive_opt::<Int32Type>();
        let numbers = numbers.ok_or_else(|| RevisionError::misfit("`revision` is no number"))?;
        let raised = numbers.values().iter().zip(self.mask.iter());
        let raised = raised.map(|(n, changes)| n.saturating_add(i32::from(changes == Some(true))));
        Ok(Arc::new(Int32Array::from_iter_values(raised)))
    }
}

fn revised_at(revision: &Revision) -> Scalar<TimestampMicrosecondArray> {
    let at = TimestampMicrosecondArray::from(vec![revision.at.micros()]);
    Scalar::new(at.with_timezone("UTC"))
}

fn reason(revision: &Revision) -> Scalar<StringArray> {
    StringArray::new_scalar(revision.reason.as_str())
}
