//! Merging: files of one date become one, sorted by (tenant, time), holding the same rows.
//!
//! The commit removes the inputs and adds the output, with a fence transaction per date: of two merges
//! from one snapshot one finds the fence moved. After a conflict it commits again while its inputs are
//! active and the fence is where it was; an append every second must not starve it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::compute::{SortColumn, concat_batches, lexsort_to_indices, take_record_batch};
use arrow::error::ArrowError;

use super::digest::Digest;
use super::plan::Group;
use crate::lake::commit::{Commit, Operation, Outcome};
use crate::lake::error::LakeError;
use crate::lake::files::DataFile;
use crate::lake::parquet_file::Purpose;
use crate::lake::rows::Batch;
use crate::lake::snapshot::{Snapshot, blocking};
use crate::lake::stage::StagedFile;
use crate::lake::table::Table;

/// How often a merge is committed again after conflicts.
const ATTEMPTS_MAX: u32 = 100;
/// The longest wait between two attempts.
const WAIT_MAX: Duration = Duration::from_millis(100);

/// What a merge did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merged {
    /// So many files became one.
    Files(usize),
    /// Somebody else rewrote its inputs first: nothing was changed.
    GivenUp,
}

/// Merges the files of a group.
///
/// # Errors
/// [`LakeError::Internal`] when the output does not hold the very rows of the inputs: nothing is
/// committed then.
pub(super) async fn merge(
    table: &Table,
    on: &Snapshot,
    group: &Group,
) -> Result<Merged, LakeError> {
    let fence = fence(table, group);
    let next = on.next_offset(&fence).await?.unwrap_or_default() + 1;
    let output = rewrite(table, group).await?;
    let commit = Commit {
        operation: Operation::Compact,
        add: vec![output.clone()],
        remove: group.files.iter().map(|file| file.path.clone()).collect(),
        transactions: vec![(fence, next)],
        amends: false,
    };
    if commit_while_active(table, on, &commit).await? {
        return Ok(Merged::Files(group.files.len()));
    }
    table.discard(&[output]).await;
    Ok(Merged::GivenUp)
}

/// The application id of a date's merges.
fn fence(table: &Table, group: &Group) -> String {
    format!("merge/{}/{}", table.name().name(), group.date.as_deref().unwrap_or("all"))
}

/// Writes the rows of all inputs into one file, and reads it back to compare.
async fn rewrite(table: &Table, group: &Group) -> Result<StagedFile, LakeError> {
    let mut batches = Vec::new();
    for file in &group.files {
        let rows = table.read(file, None).await?;
        let found: usize = rows.iter().map(RecordBatch::num_rows).sum();
        if file.records.is_some_and(|records| records != found as u64) {
            return Err(LakeError::Damaged {
                table: table.name().name().to_owned(),
                file: file.path.clone(),
                why: format!("it has {found} rows, the log says {:?}", file.records),
            });
        }
        batches.extend(rows);
    }
    let before = Digest::of(&batches);
    let what = format!("merging files of `{}`", table.name().name());
    let sorted = blocking(what.clone(), move || sorted(&batches)).await?;
    let rows = sorted.map_err(|why| LakeError::internal(what.clone(), why))?;
    let date = group.date.as_deref().and_then(days);
    let output = table.stage(Batch { date, rows }, Purpose::Keep).await?;
    let after = Digest::of(&table.read(&written(&output, group), None).await?);
    if before != after {
        table.discard(std::slice::from_ref(&output)).await;
        let why = format!("rows changed: {before:?} became {after:?}");
        return Err(LakeError::internal(what, why));
    }
    Ok(output)
}

fn days(date: &str) -> Option<i32> {
    format!("{date}T00:00:00Z").parse().ok().map(crate::time::Timestamp::days)
}

fn written(output: &StagedFile, group: &Group) -> DataFile {
    DataFile {
        path: output.path.clone(),
        size: output.bytes,
        modified_at: 0,
        date: group.date.clone(),
        records: Some(output.rows as u64),
        statistics: None,
    }
}

/// By tenant and time where the table has them; else in the order of the inputs.
fn sorted(batches: &[RecordBatch]) -> Result<RecordBatch, ArrowError> {
    let Some(first) = batches.first() else {
        return Err(ArrowError::InvalidArgumentError("no rows to merge".to_owned()));
    };
    let all = concat_batches(&first.schema(), batches)?;
    let keys: Vec<SortColumn> = ["tenant", "occurred_at"]
        .iter()
        .filter_map(|name| all.column_by_name(name))
        .map(|values| SortColumn { values: Arc::clone(values), options: None })
        .collect();
    if keys.is_empty() {
        return Ok(all);
    }
    take_record_batch(&all, &lexsort_to_indices(&keys, None)?)
}

/// Commits; again after conflicts, while the inputs are active and the fence is unmoved.
async fn commit_while_active(
    table: &Table,
    on: &Snapshot,
    commit: &Commit,
) -> Result<bool, LakeError> {
    let mut on = on.clone();
    for attempt in 0..ATTEMPTS_MAX {
        let active = paths(&on).await?;
        if commit.add.iter().any(|output| active.contains(&output.path)) {
            // A lost answer hid that it landed.
            return Ok(true);
        }
        if !commit.remove.iter().all(|path| active.contains(path)) {
            return Ok(false);
        }
        match table.commit(&on, commit).await {
            Ok(Outcome::Committed(_)) => return Ok(true),
            Ok(Outcome::Superseded { .. }) => return Ok(false),
            Ok(Outcome::Conflicted { .. }) | Err(LakeError::OutcomeUnknown { .. }) => {}
            Err(error) => return Err(error),
        }
        tokio::time::sleep(wait(attempt)).await;
        on = table.refresh().await?;
    }
    Ok(false)
}

async fn paths(on: &Snapshot) -> Result<HashSet<String>, LakeError> {
    Ok(on.files().await?.iter().map(|file| file.path.clone()).collect())
}

fn wait(attempt: u32) -> Duration {
    let longest = Duration::from_millis(2).saturating_mul(1 << attempt.min(6)).min(WAIT_MAX);
    longest.mul_f64(rand::random::<f64>())
}
