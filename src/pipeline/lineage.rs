//! Which messages have dead letters or queued corrections already: read back after a crash between
//! the commits.

use std::collections::HashSet;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{Int32Type, Int64Type};

use crate::lake::{Correction, DeadLetterRow, LakeError, Side, Snapshot, Table};
use crate::source::Partition;

const COLUMNS: [&str; 7] = [
    "source_topic",
    "source_partition",
    "source_offset",
    "source_index",
    "source_app_id",
    "side",
    "revision_id",
];

/// A dead letter's place: source partition's id, offset and index.
pub(super) type Place = (String, i64, i64);

/// The place of a dead letter.
pub(super) fn place(row: &DeadLetterRow) -> Place {
    (row.app_id.clone(), row.lineage.offset, i64::from(row.lineage.index))
}

/// The places of every dead letter that was replayed.
///
/// # Errors
/// [`LakeError`] when a file cannot be read.
pub(super) async fn replayed(
    table: &Table,
    snapshot: &Snapshot,
) -> Result<HashSet<Place>, LakeError> {
    const COLUMNS: [&str; 4] = ["source_app_id", "source_offset", "source_index", "replayed_at"];
    let mut told = HashSet::new();
    for file in snapshot.files().await?.iter() {
        for batch in table.read(file, Some(&COLUMNS)).await? {
            told.extend(told_in(&batch).into_iter().flatten());
        }
    }
    Ok(told)
}

fn told_in(batch: &RecordBatch) -> Option<Vec<Place>> {
    let apps = batch.column_by_name("source_app_id")?.as_string_opt::<i32>()?;
    let offsets = batch.column_by_name("source_offset")?.as_primitive_opt::<Int64Type>()?;
    let indices = batch.column_by_name("source_index")?.as_primitive_opt::<Int64Type>()?;
    let replayed = batch.column_by_name("replayed_at")?;
    let rows = apps.iter().zip(offsets.iter()).zip(indices.iter()).enumerate();
    let told = rows.filter(|(row, _)| replayed.is_valid(*row));
    let places = told.filter_map(|(_, ((app, offset), index))| {
        // A row of an older release does not name its source's id.
        Some((app.unwrap_or_default().to_owned(), offset?, index?))
    });
    Some(places.collect())
}

/// The (offset, index) of a partition's dead letters, or of its queued corrections, at or past an
/// offset.
///
/// # Errors
/// [`LakeError`] when a file cannot be read.
pub(super) async fn from_offset(
    table: &Table,
    snapshot: &Snapshot,
    partition: &Partition,
    from: i64,
) -> Result<HashSet<(i64, u32)>, LakeError> {
    let mut found = HashSet::new();
    for file in snapshot.files().await?.iter() {
        for batch in table.read(file, Some(&COLUMNS)).await? {
            found.extend(matching(&batch, partition, from).into_iter().flatten());
        }
    }
    Ok(found)
}

fn matching(batch: &RecordBatch, partition: &Partition, from: i64) -> Option<Vec<(i64, u32)>> {
    match batch.column_by_name("revision_id") {
        Some(ids) => Some(corrections(batch, ids.as_string_opt::<i32>()?, partition, from)),
        None => dead_letters(batch, partition, from),
    }
}

/// Queued corrections: their ids name source partition, offset and index.
fn corrections(
    batch: &RecordBatch,
    ids: &StringArray,
    partition: &Partition,
    from: i64,
) -> Vec<(i64, u32)> {
    let sides = batch.column_by_name("side").and_then(|sides| sides.as_string_opt::<i32>());
    let sides = sides.into_iter().flat_map(|sides| sides.iter());
    let queued = ids.iter().zip(sides).filter(|(_, side)| *side == Some(Side::Correction.name()));
    let places = queued.filter_map(|(id, _)| Correction::place_of(id?));
    let ours = places.filter(|(app, offset, _)| *app == partition.app_id && *offset >= from);
    ours.map(|(_, offset, index)| (offset, index)).collect()
}

fn dead_letters(batch: &RecordBatch, partition: &Partition, from: i64) -> Option<Vec<(i64, u32)>> {
    let topics = batch.column_by_name("source_topic")?.as_string_opt::<i32>()?;
    let numbers = batch.column_by_name("source_partition")?.as_primitive_opt::<Int32Type>()?;
    let offsets = batch.column_by_name("source_offset")?.as_primitive_opt::<Int64Type>()?;
    let indices = batch.column_by_name("source_index")?.as_primitive_opt::<Int64Type>()?;
    let apps = batch.column_by_name("source_app_id")?.as_string_opt::<i32>()?;
    // A row of an older release does not say of which topic of that name it was.
    let is_of = |row: usize| apps.is_null(row) || apps.value(row) == partition.app_id;
    let rows = topics.iter().zip(numbers.iter()).zip(offsets.iter().zip(indices.iter()));
    let ours = rows.enumerate().filter_map(|(row, ((topic, number), (offset, index)))| {
        let here = topic? == partition.topic && number? == partition.number && offset? >= from;
        (here && is_of(row)).then_some((offset?, u32::try_from(index?).ok()?))
    });
    Some(ours.collect())
}
