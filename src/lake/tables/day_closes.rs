//! `day_closes`: what a day held when it was closed, a row per close; the latest of a day holds.

use crate::lake::cell::Cell;
use crate::lake::column::{Column, columns};
use crate::lake::rows::Row;
use crate::money::Usd;
use crate::time::Timestamp;

/// One row of `day_closes`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DayCloseRow {
    /// The day, in days since the epoch.
    pub day: i32,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// The version of `calls` that was counted.
    pub calls_version: u64,
    /// The day's data files.
    pub files: u64,
    /// Its rows.
    pub rows: u64,
    /// Rows whose identity another row of the day has, too.
    pub duplicates: u64,
    /// Its cost.
    pub cost: Usd,
    /// Rows without a cost.
    pub unknown_costs: u64,
}

impl Row for DayCloseRow {
    fn columns() -> &'static [Column<Self>] {
        COLUMNS
    }

    fn date(&self) -> Option<i32> {
        None
    }
}

columns! {
    pub(super) COLUMNS of DayCloseRow;

    /// The UTC date of `occurred_at` that was closed.
    day: Date.required() => |row| Cell::Date(row.day);
    /// When it was closed; late rows and revisions close it again, and the latest row holds.
    closed_at: Time => |row| row.closed_at;
    /// The version of `calls` that was counted.
    calls_version: Long.required() => |row| Cell::count(row.calls_version);
    /// The day's data files, after they were sorted together.
    files: Long.required().unit("files") => |row| Cell::count(row.files);
    /// The day's rows in `calls`.
    calls: Long.required().unit("rows") => |row| Cell::count(row.rows);
    /// Rows whose identity another row of the day has, too: 0, or an alarm.
    duplicates: Long.required().unit("rows") => |row| Cell::count(row.duplicates);
    /// The sum of `cost_usd`.
    cost_usd: UsdTotal.required().unit("USD") => |row| row.cost;
    /// Rows whose `cost_usd` is NULL.
    unknown_costs: Long.required().unit("rows") => |row| Cell::count(row.unknown_costs);
}
