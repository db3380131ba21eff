//! Which messages have dead letters or queued corrections already: read back after a crash between
//! the commits.

use std::collections::HashSet;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type};

use crate::lake::{LakeError, Side, Snapshot, Table};
use crate::source::Partition;

const COLUMNS: [&str; 5] =
    ["source_topic", "source_partition", "source_offset", "source_index", "side"];

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
    let topics = batch.column_by_name("source_topic")?.as_string_opt::<i32>()?;
    let numbers = batch.column_by_name("source_partition")?.as_primitive_opt::<Int32Type>()?;
    let offsets = batch.column_by_name("source_offset")?.as_primitive_opt::<Int64Type>()?;
    let indices = batch.column_by_name("source_index")?.as_primitive_opt::<Int64Type>()?;
    let sides = batch.column_by_name("side").and_then(|sides| sides.as_string_opt::<i32>());
    let is_queued =
        |row: usize| sides.is_none_or(|sides| sides.value(row) == Side::Correction.name());
    let rows = topics.iter().zip(numbers.iter()).zip(offsets.iter().zip(indices.iter()));
    let ours = rows.enumerate().filter_map(|(row, ((topic, number), (offset, index)))| {
        let here = topic? == partition.topic && number? == partition.number && offset? >= from;
        (here && is_queued(row)).then_some((offset?, u32::try_from(index?).ok()?))
    });
    Some(ours.collect())
}
