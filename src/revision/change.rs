//! Rows of one batch as they are to be, and how they are put among those that stay.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Datum, Int32Array, RecordBatch, Scalar, StringArray,
    TimestampMicrosecondArray,
};
use arrow::compute::filter_record_batch;
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::Int32Type;

use super::RevisionError;
use super::stored::named;
use crate::lake::{DataFile, Revision};

/// What a revision does to rows.
pub(super) trait Change {
    /// Whether a file may hold rows that it changes.
    fn may_touch(&self, file: &DataFile) -> bool;

    /// Gets ready for the files of a date.
    ///
    /// # Errors
    /// [`RevisionError`].
    async fn begin(&mut self, date: Option<&str>) -> Result<(), RevisionError>;

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
    /// All rows of the batch.
    pub rows: RecordBatch,
    /// The changed rows as they were.
    pub before: RecordBatch,
    /// The same rows as they are then.
    pub after: RecordBatch,
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

    /// Puts the changed rows among those that stay, as a revision of `old`.
    ///
    /// # Errors
    /// [`RevisionError::Lake`] when the rows do not have the columns of `old`.
    pub fn put_into(
        &self,
        old: &RecordBatch,
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
        let after = filter_record_batch(&rows, &self.mask)?;
        Ok(Revised { rows, before, after })
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
