//! Which revisions count, and what they changed.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Decimal128Type;
use futures::TryStreamExt;

use super::RevisionError;
use super::difference::Sides;
use super::job::app_id;
use super::stored::{instants, named, texts};
use crate::lake::{Lake, Side, Snapshot, TableName};
use crate::money::Usd;
use crate::time::Timestamp;

const COLUMNS: [&str; 6] =
    ["revision_id", "side", "changed_by", "changed_at", "change_reason", "cost_usd"];

/// A revision that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub revision_id: String,
    /// Who asked for it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// The rows that it changed, before and after.
    pub sides: Sides,
}

/// Whether a revision counts in a version of `calls`.
///
/// # Errors
/// [`RevisionError::Lake`].
pub(super) async fn counts(calls: &Snapshot, revision_id: &str) -> Result<bool, RevisionError> {
    Ok(calls.next_offset(&app_id(revision_id)).await?.is_some())
}

/// The revisions that count, oldest first.
///
/// # Errors
/// [`RevisionError::Lake`].
pub async fn history(lake: &Lake) -> Result<Vec<Entry>, RevisionError> {
    let calls = lake.table(TableName::Calls).refresh().await?;
    let table = lake.table(TableName::CallRevisions);
    let mut entries = BTreeMap::new();
    for file in table.refresh().await?.files().await?.iter() {
        let mut rows = table.open_file(file, Some(&COLUMNS)).await?.rows;
        while let Some(batch) = rows.try_next().await? {
            count(&batch, &mut entries)?;
        }
    }
    let mut counted = Vec::new();
    for entry in entries.into_values() {
        if counts(&calls, &entry.revision_id).await? {
            counted.push(entry);
        }
    }
    Ok(counted)
}

fn count(rows: &RecordBatch, entries: &mut BTreeMap<String, Entry>) -> Result<(), RevisionError> {
    let (ids, of) = (texts(rows, "revision_id")?, texts(rows, "side")?);
    let (by, reasons) = (texts(rows, "changed_by")?, texts(rows, "change_reason")?);
    let costs = named(rows, "cost_usd")?.as_primitive_opt::<Decimal128Type>();
    let costs = costs.ok_or_else(|| RevisionError::misfit("`cost_usd` is no amount"))?;
    for (row, at) in instants(rows, "changed_at")?.enumerate() {
        let id = ids.value(row);
        if !entries.contains_key(id) {
            let (by, reason) = (by.value(row).to_owned(), reasons.value(row).to_owned());
            let (revision_id, sides) = (id.to_owned(), Sides::default());
            entries.insert(id.to_owned(), Entry { revision_id, by, at, reason, sides });
        }
        let Some(entry) = entries.get_mut(id) else { continue };
        let is_before = of.value(row) == Side::Before.name();
        let sides = &mut entry.sides;
        let side = if is_before { &mut sides.before } else { &mut sides.after };
        side.add(costs.is_valid(row).then(|| Usd::from_pico(costs.value(row))));
    }
    Ok(())
}
