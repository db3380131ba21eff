//! `call_revisions`: rows of `calls` as they were before and after a change.
//!
//! Only revision ids that `calls` has a transaction for count, so a job that died leaves nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};

use super::calls::CallRow;
use super::spec::TableName;
use crate::lake::column::{ColumnInfo, Kind, Layout};
use crate::lake::error::LakeError;
use crate::lake::files::DataFile;
use crate::lake::rows::{Batch, Row, Rows};
use crate::time::Timestamp;

/// Which side of a change a row shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// As billed until then.
    Before,
    /// As it is from then on.
    After,
    /// As an event says it should be: queued until it is applied.
    Correction,
}

impl Side {
    /// The name in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Correction => "correction",
        }
    }
}

/// An event that changes the row of its identity: queued with its lineage until it is applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Correction {
    /// The row as it should be.
    pub row: CallRow,
    /// The source partition that it was read from.
    pub app_id: String,
    /// Why the row may be changed: `correction` or `finalization`.
    pub reason: &'static str,
}

impl Correction {
    /// Its id in the queue: source partition, offset and index.
    pub fn id(&self) -> String {
        format!("{}@{}.{}", self.app_id, self.row.lineage.offset, self.row.lineage.index)
    }

    /// Source partition, offset and index of a queued correction's id.
    pub fn place_of(id: &str) -> Option<(&str, i64, u32)> {
        let (app_id, place) = id.rsplit_once('@')?;
        let (offset, index) = place.split_once('.')?;
        Some((app_id, offset.parse().ok()?, index.parse().ok()?))
    }

    /// Whether a file of `call_revisions` may hold queued ones, by the log's statistics.
    pub fn may_be_in(file: &DataFile) -> bool {
        let largest = file.statistics.as_deref().and_then(|known| known.largest("side")?.as_str());
        largest.is_none_or(|side| side >= Side::Correction.name())
    }

    /// The queue's rows of corrections.
    ///
    /// # Errors
    /// [`LakeError::Internal`] when a required column has no value.
    pub fn rows(corrections: &[Self]) -> Result<Vec<Batch>, LakeError> {
        let mut dates: BTreeMap<Option<i32>, Vec<&Self>> = BTreeMap::new();
        for correction in corrections {
            dates.entry(correction.row.date()).or_default().push(correction);
        }
        let batch = |(date, corrections): (Option<i32>, Vec<&Self>)| {
            let mut calls = Rows::<CallRow>::default();
            corrections.iter().for_each(|correction| calls.push(&correction.row));
            let Some(calls) = calls.finish()?.pop() else {
                return Err(LakeError::internal("queueing corrections", "no rows"));
            };
            let texts = |text: &dyn Fn(&Self) -> String| -> ArrayRef {
                Arc::new(StringArray::from_iter_values(corrections.iter().map(|one| text(one))))
            };
            let at = corrections.iter().map(|one| one.row.ingested_at.micros());
            let at = TimestampMicrosecondArray::from_iter_values(at).with_timezone("UTC");
            let own: [ArrayRef; COLUMNS.len()] = [
                texts(&Self::id),
                texts(&|_| Side::Correction.name().to_owned()),
                texts(&|one| one.row.charge.namespace.clone()),
                Arc::new(at),
                texts(&|one| one.reason.to_owned()),
            ];
            Ok(Batch { date, rows: with(own, &calls.rows)? })
        };
        dates.into_iter().map(batch).collect()
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
        with(own, calls)
    }
}

/// Rows of `calls` with the columns before them.
fn with(own: [ArrayRef; COLUMNS.len()], calls: &RecordBatch) -> Result<RecordBatch, LakeError> {
    let arrays = own.into_iter().chain(calls.columns().iter().cloned()).collect();
    RecordBatch::try_new(TableName::CallRevisions.spec().file_schema(), arrays)
        .map_err(|why| LakeError::internal("building rows of `call_revisions`", why))
}

const fn column(name: &'static str, kind: Kind, meaning: &'static str) -> ColumnInfo {
    let layout = Layout::Dictionary;
    ColumnInfo { name, kind, required: true, unit: "", meaning, layout, expression: "" }
}

/// The columns before those of `calls`.
pub(super) const COLUMNS: [ColumnInfo; 5] = [
    column("revision_id", Kind::Text, "The change: a transaction of `calls` once it counts."),
    column("side", Kind::Text, "`before` or `after` the change; `correction`: queued."),
    column("changed_by", Kind::Text, "Who asked for it."),
    column("changed_at", Kind::Time, "When."),
    column("change_reason", Kind::Text, "Why."),
];
