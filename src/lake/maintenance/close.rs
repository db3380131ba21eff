//! Day close: a day that is over is sorted into few files, and what it holds is counted and
//! written down.

use std::collections::{BTreeMap, HashSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Decimal128Type, TimestampMicrosecondType};
use futures::TryStreamExt;

use super::hold::is_held;
use super::merge::{Merged, merge};
use super::plan;
use crate::crash;
use crate::lake::commit::{Commit, Outcome};
use crate::lake::config::MaintenanceConfig;
use crate::lake::error::LakeError;
use crate::lake::files::DataFile;
use crate::lake::open::Lake;
use crate::lake::rows::Rows;
use crate::lake::snapshot::Snapshot;
use crate::lake::table::Table;
use crate::lake::tables::{DayCloseRow, TableName};
use crate::money::Usd;
use crate::time::Timestamp;

const DAY_SECONDS: i64 = 24 * 3_600;
/// Late files close a day again at once when there are so many.
const LATE_FILES_MAX: usize = 32;
/// Identities that are held at a time: a larger day is read several times.
const IDENTITIES_HELD_MAX: u64 = 4 << 20;

/// Closes one day that is due, the earliest one; `None` where none is.
///
/// # Errors
/// [`LakeError`] of either table; the day is tried again.
pub(super) async fn close_one(
    lake: &Lake,
    config: &MaintenanceConfig,
) -> Result<Option<DayCloseRow>, LakeError> {
    let (calls, closes) = (lake.table(TableName::Calls), lake.table(TableName::DayCloses));
    let snapshot = calls.refresh().await?;
    let on = closes.refresh().await?;
    let closed = closed_at(closes, &on).await?;
    let is_due = |day: i32, files: &[DataFile]| {
        is_due(day, files, closed.get(&day).copied(), (calls.now(), config))
    };
    let files = snapshot.files().await?;
    let due = by_day(&files).into_iter().find(|(day, files)| is_due(*day, files));
    let Some((day, files)) = due else { return Ok(None) };
    if is_held(&snapshot, calls.now()).await? {
        return Ok(None);
    }
    let Some((snapshot, files)) = sorted_together(calls, config, (snapshot, files)).await? else {
        return Ok(None);
    };
    crash::point("close.sorted");
    let row = DayCloseRow {
        day,
        closed_at: Some(calls.now()),
        calls_version: snapshot.version(),
        ..count(calls, &files).await?
    };
    crash::point("close.counted");
    Ok(store(closes, &on, &row).await?.then_some(row))
}

/// The files of each day, earliest day first.
fn by_day(files: &[DataFile]) -> BTreeMap<i32, Vec<DataFile>> {
    let mut days: BTreeMap<i32, Vec<DataFile>> = BTreeMap::new();
    for file in files {
        if let Some(day) = file.days() {
            days.entry(day).or_default().push(file.clone());
        }
    }
    days
}

/// Whether a day is over and was not closed since its files last changed. A day with late files
/// waits until they have stopped coming, or are many.
fn is_due(
    day: i32,
    files: &[DataFile],
    closed_at: Option<Timestamp>,
    (now, config): (Timestamp, &MaintenanceConfig),
) -> bool {
    let ends = Timestamp::EPOCH.plus_seconds((i64::from(day) + 1) * DAY_SECONDS);
    if now.micros_since(ends) < config.close_after.micros() {
        return false;
    }
    let Some(closed_at) = closed_at else { return true };
    let late = files.iter().filter(|file| file.modified_at > closed_at.millis());
    let newest = late.clone().map(|file| file.modified_at).max();
    let quiet_since = now.millis() - config.close_after.micros() / 1_000;
    late.count() >= LATE_FILES_MAX || newest.is_some_and(|newest| newest <= quiet_since)
}

/// When each day was closed last.
async fn closed_at(closes: &Table, on: &Snapshot) -> Result<BTreeMap<i32, Timestamp>, LakeError> {
    let mut latest: BTreeMap<i32, Timestamp> = BTreeMap::new();
    for file in on.files().await?.iter() {
        for batch in closes.read(file, Some(&["day", "closed_at"])).await? {
            let (Some(days), Some(times)) = (
                batch.column_by_name("day").and_then(|days| days.as_primitive_opt::<Date32Type>()),
                batch
                    .column_by_name("closed_at")
                    .and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>()),
            ) else {
                continue;
            };
            for (day, at) in days.iter().zip(times) {
                let Some((day, at)) = day.zip(at.and_then(Timestamp::from_micros)) else {
                    continue;
                };
                latest.entry(day).and_modify(|known| *known = at.max(*known)).or_insert(at);
            }
        }
    }
    Ok(latest)
}

/// Merges a day's files until they are few; `None` when somebody else rewrites them.
async fn sorted_together(
    calls: &Table,
    config: &MaintenanceConfig,
    (mut on, mut files): (Snapshot, Vec<DataFile>),
) -> Result<Option<(Snapshot, Vec<DataFile>)>, LakeError> {
    let Some(day) = files.first().and_then(DataFile::days) else { return Ok(None) };
    loop {
        let groups = plan::whole_day(&files, config);
        if groups.is_empty() {
            return Ok(Some((on, files)));
        }
        for group in groups {
            if merge(calls, &calls.snapshot()?, &group).await? == Merged::GivenUp {
                return Ok(None);
            }
        }
        on = calls.refresh().await?;
        files = by_day(&on.files().await?).remove(&day).unwrap_or_default();
    }
}

/// What a day's files hold.
///
/// # Errors
/// [`LakeError::Internal`] when the log says another number of rows.
async fn count(calls: &Table, files: &[DataFile]) -> Result<DayCloseRow, LakeError> {
    let mut day = DayCloseRow { files: files.len() as u64, ..DayCloseRow::default() };
    let mut pico = 0_i128;
    for file in files {
        let mut rows = calls.open_file(file, Some(&["cost_usd"])).await?.rows;
        let mut in_file = 0;
        while let Some(batch) = rows.try_next().await? {
            in_file += batch.num_rows() as u64;
            let costs = batch.column_by_name("cost_usd");
            let costs = costs.and_then(|costs| costs.as_primitive_opt::<Decimal128Type>());
            pico += costs.into_iter().flatten().flatten().sum::<i128>();
            day.unknown_costs += costs.map_or(0, |costs| costs.null_count() as u64);
        }
        if let Some(logged) = file.records.filter(|logged| *logged != in_file) {
            let what = format!("counting the rows of `{}`", file.path);
            return Err(LakeError::internal(what, format!("{in_file}, but the log says {logged}")));
        }
        day.rows += in_file;
    }
    day.cost = Usd::from_pico(pico);
    day.duplicates = duplicates(calls, files, day.rows).await?;
    Ok(day)
}

/// Rows whose identity an earlier row has. Each pass holds one share of the identities.
async fn duplicates(calls: &Table, files: &[DataFile], rows: u64) -> Result<u64, LakeError> {
    let passes = u128::from(rows.div_ceil(IDENTITIES_HELD_MAX).max(1));
    let mut duplicates = 0;
    for pass in 0..passes {
        let mut seen = HashSet::new();
        for file in files {
            let mut rows = calls.open_file(file, Some(&["identity_hash"])).await?.rows;
            while let Some(batch) = rows.try_next().await? {
                let hashes = identities(&batch).into_iter().filter(|hash| hash % passes == pass);
                duplicates += hashes.filter(|hash| !seen.insert(*hash)).count() as u64;
            }
        }
    }
    Ok(duplicates)
}

fn identities(batch: &RecordBatch) -> Vec<u128> {
    let hashes = batch.column_by_name("identity_hash").and_then(|hashes| hashes.as_binary_opt());
    let hashes = hashes.into_iter().flat_map(|hashes: &arrow::array::BinaryArray| hashes.iter());
    hashes.flatten().filter_map(|hash| hash.try_into().ok().map(u128::from_be_bytes)).collect()
}

/// Writes a close down, unless another instance was faster.
async fn store(closes: &Table, on: &Snapshot, row: &DayCloseRow) -> Result<bool, LakeError> {
    let mut rows = Rows::default();
    rows.push(row);
    let staged = closes.write(rows.finish()?).await?;
    let version = i64::try_from(row.calls_version).unwrap_or(i64::MAX);
    let commit = Commit::append(staged, vec![(format!("close/{}", row.day), version)]);
    match closes.commit(on, &commit).await? {
        Outcome::Committed(_) => Ok(true),
        Outcome::Conflicted { .. } | Outcome::Superseded { .. } => {
            closes.discard(&commit.add).await;
            Ok(false)
        }
    }
}
