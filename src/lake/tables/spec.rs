//! What the lake knows of each table: its columns, its partition, its statistics.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::{anomalies, call_revisions, calls, control, day_closes, dead_letters, prices};
use crate::lake::column::{Column, ColumnInfo};
use crate::lake::rows::Row;

/// The partition column of tables that have one.
pub const DATE: &str = "date";

/// The tables of the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TableName {
    /// One row per metered call.
    Calls,
    /// Rows of `calls` as they were before and after a change.
    CallRevisions,
    /// What could not become a row.
    DeadLetters,
    /// Incidents.
    Anomalies,
    /// The price book as rows.
    Prices,
    /// What days held when they were closed.
    DayCloses,
    /// API keys.
    Control,
}

impl TableName {
    /// Every table.
    pub const ALL: [Self; 7] = [
        Self::Calls,
        Self::CallRevisions,
        Self::DeadLetters,
        Self::Anomalies,
        Self::Prices,
        Self::DayCloses,
        Self::Control,
    ];

    /// The name: of the table in SQL, and of its directory.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::CallRevisions => "call_revisions",
            Self::DeadLetters => "dead_letters",
            Self::Anomalies => "anomalies",
            Self::Prices => "prices",
            Self::DayCloses => "day_closes",
            Self::Control => "control",
        }
    }

    /// The table of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// What it holds, for people.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Calls => "Exactly one row per metered call, at every version.",
            Self::CallRevisions => {
                "Rows of `calls` as they were before and after a change. Only revision ids that \
                 `calls` has a transaction for count."
            }
            Self::DeadLetters => {
                "What could not become a row of `calls`, with its reason and its source position."
            }
            Self::Anomalies => "Incidents, a row per revision; the highest is what is known now.",
            Self::Prices => "The price book as rows, a version at a time.",
            Self::DayCloses => {
                "What each day held when it was closed: rows, identities and cost, counted anew. \
                 The latest row of a day holds."
            }
            Self::Control => "API keys, a row per change; the latest row of a key holds.",
        }
    }

    /// What the partition is of.
    pub(crate) const fn partition(self) -> &'static str {
        match self {
            Self::DeadLetters => "the UTC date of `received_at`",
            _ => "the UTC date of `occurred_at`",
        }
    }

    /// What the lake knows of it.
    pub fn spec(self) -> TableSpec {
        let (columns, statistics) = match self {
            Self::Calls => (infos(calls::CallRow::columns()), calls::STATISTICS),
            Self::CallRevisions => {
                let own = call_revisions::COLUMNS.into_iter();
                let columns = own.chain(infos(calls::CallRow::columns())).collect();
                (columns, ["revision_id", "side", "tenant", "occurred_at"].as_slice())
            }
            Self::DeadLetters => (
                infos(dead_letters::DeadLetterRow::columns()),
                ["source_topic", "source_partition", "source_offset", "received_at", "reason"]
                    .as_slice(),
            ),
            Self::Anomalies => {
                (infos(anomalies::AnomalyRow::columns()), ["window_start", "tenant"].as_slice())
            }
            Self::Prices => (infos(prices::PriceRow::columns()), ["price_book_version"].as_slice()),
            Self::DayCloses => (infos(day_closes::DayCloseRow::columns()), ["day"].as_slice()),
            Self::Control => (infos(control::ControlRow::columns()), ["updated_at"].as_slice()),
        };
        let dated = matches!(self, Self::Calls | Self::CallRevisions | Self::DeadLetters);
        TableSpec { name: self, columns, dated, statistics }
    }
}

fn infos<R>(columns: &[Column<R>]) -> Vec<ColumnInfo> {
    columns.iter().map(|column| column.info).collect()
}

/// What the lake knows of a table.
#[derive(Debug, Clone)]
pub struct TableSpec {
    /// Which one.
    pub name: TableName,
    /// The columns of its files, in order.
    pub columns: Vec<ColumnInfo>,
    /// Whether it is partitioned by `date`.
    pub dated: bool,
    /// Columns whose least and largest values the log keeps for each file.
    pub statistics: &'static [&'static str],
}

/// What merged files are sorted by, as far as a table has it.
const SORT_KEY: [&str; 2] = ["tenant", "occurred_at"];

impl TableSpec {
    /// The columns that merged files are sorted by, first one first.
    pub fn sort_key(&self) -> impl Iterator<Item = &'static str> + '_ {
        let has = |name: &&'static str| self.columns.iter().any(|column| column.name == *name);
        SORT_KEY.into_iter().filter(has)
    }

    /// The schema of its files: without the partition column.
    pub fn file_schema(&self) -> SchemaRef {
        Arc::new(Schema::new(self.columns.iter().map(ColumnInfo::field).collect::<Vec<_>>()))
    }

    /// The schema of the table: with the partition column last.
    pub fn table_schema(&self) -> SchemaRef {
        let date = self.dated.then(|| Field::new(DATE, DataType::Date32, false));
        let fields = self.columns.iter().map(ColumnInfo::field).chain(date);
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }
}
