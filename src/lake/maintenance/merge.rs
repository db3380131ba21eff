//! Merging: files of one date become one, sorted by (tenant, time), holding the same rows.
//!
//! The commit removes the inputs and adds the output, with a fence transaction per date: of two
//! merges from one snapshot one finds the fence moved.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{StreamExt, TryStreamExt};

use super::digest::Digest;
use super::merge_sort::{Input, input, merged};
use super::plan::Group;
use crate::crash;
use crate::lake::commit::{Commit, Operation};
use crate::lake::error::LakeError;
use crate::lake::file_writer::FileWriter;
use crate::lake::files::{DataFile, days_of};
use crate::lake::snapshot::Snapshot;
use crate::lake::stage::StagedFile;
use crate::lake::table::Table;

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
    crash::point("merge.planned");
    let output = rewrite(table, group).await?;
    crash::point("merge.verified");
    let commit = Commit {
        operation: Operation::Compact,
        add: vec![output.clone()],
        remove: group.files.iter().map(|file| file.path.clone()).collect(),
        transactions: vec![(fence, next)],
        marks: Vec::new(),
        amends: false,
    };
    if table.replace(on, &commit).await? {
        crash::point("merge.committed");
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
    let before = Arc::new(Mutex::new(Digest::default()));
    let mut inputs = Vec::new();
    for file in &group.files {
        let (rows, digest) = (input(table, file, group.files.len()).await?, Arc::clone(&before));
        inputs.push(rows.inspect_ok(move |batch| locked(&digest).add(batch)).boxed());
    }
    let output = write(table, group, merged(table, inputs).await?).await?;
    crash::point("merge.written");
    let mut after = Digest::default();
    let mut rows = table.open_file(&written(&output, group), Some(&Digest::COLUMNS)).await?.rows;
    while let Some(batch) = rows.try_next().await? {
        after.add(&batch);
    }
    let before = *locked(&before);
    let logged: Option<u64> = group.files.iter().map(|file| file.records).sum();
    if before == after && logged.is_none_or(|records| records == before.rows() as u64) {
        return Ok(output);
    }
    table.discard(std::slice::from_ref(&output)).await;
    let what = format!("merging files of `{}`", table.name().name());
    let why = format!("the log says {logged:?} rows; {before:?} became {after:?}");
    Err(LakeError::internal(what, why))
}

fn locked(digest: &Mutex<Digest>) -> MutexGuard<'_, Digest> {
    digest.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn write(table: &Table, group: &Group, mut rows: Input) -> Result<StagedFile, LakeError> {
    let date = group.date.as_deref().and_then(days_of);
    let mut writer = FileWriter::start(table, date, group.purpose).await?;
    while let Some(batch) = rows.try_next().await? {
        writer = writer.push(batch).await?;
    }
    writer.finish().await
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
