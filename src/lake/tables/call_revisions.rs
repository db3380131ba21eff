//! `call_revisions`: rows of `calls` as they were before and after a change.
//!
//! Only revision ids that `calls` has a transaction for count, so a job that died leaves nothing.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::Schema;

use super::spec::TableName;
use crate::lake::column::{ColumnInfo, Kind, Layout};
use crate::lake::error::LakeError;
use crate::time::Timestamp;

/// Which side of a change a row shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// As billed until then.
    Before,
    /// As it is from then on.
    After,
}

impl Side {
    /// The name in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

/// One change of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Its id: a transaction of `calls` once it counts.
    pub revision_id: String,
    /// Who asked for it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

impl Revision {
    /// Rows of `calls` as rows of `call_revisions`.
    ///
    /// # Errors
    /// [`LakeError::Internal`] when the rows are not those of `calls`.
    pub fn rows(&self, side: Side, calls: &RecordBatch) -> Result<RecordBatch, LakeError> {
        let text = |value: &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(std::iter::repeat_n(value, calls.num_rows())))
        };
        let at = std::iter::repeat_n(self.at.micros(), calls.num_rows());
        let at = TimestampMicrosecondArray::from_iter_values(at).with_timezone("UTC");
        let own: [ArrayRef; COLUMNS.len()] = [
            text(&self.revision_id),
            text(side.name()),
            text(&self.by),
            Arc::new(at),
            text(&self.reason),
        ];
        let arrays = own.into_iter().chain(calls.columns().iter().cloned()).collect();
        let schema = Schema::new(
            TableName::CallRevisions
                .spec()
                .columns
                .iter()
                .map(ColumnInfo::field)
                .collect::<Vec<_>>(),
        );
        RecordBatch::try_new(Arc::new(schema), arrays)
            .map_err(|why| LakeError::internal("building rows of `call_revisions`", why))
    }
}

const fn column(name: &'static str, kind: Kind, meaning: &'static str) -> ColumnInfo {
    let layout = Layout::Dictionary;
    ColumnInfo { name, kind, required: true, unit: "", meaning, layout, expression: "" }
}

/// The columns before those of `calls`.
pub(super) const COLUMNS: [ColumnInfo; 5] = [
    column("revision_id", Kind::Text, "The change: a transaction of `calls` once it counts."),
    column("side", Kind::Text, "`before` or `after` the change."),
    column("changed_by", Kind::Text, "Who asked for it."),
    column("changed_at", Kind::Time, "When."),
    column("change_reason", Kind::Text, "Why."),
];
