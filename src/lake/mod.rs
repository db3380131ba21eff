//! The open tables: Arrow schemas, commits with offsets, snapshots, maintenance.
//!
//! Each table is a Delta table that any engine opens by its path. Rows and the offsets they came
//! from land in one commit; nothing here decides what a row is.

mod cell;
mod changes;
mod column;
mod commit;
mod config;
mod create;
mod dictionary;
mod durable;
mod error;
#[cfg(test)]
pub(crate) mod faulty;
mod file_writer;
mod files;
mod identities;
mod inspect;
mod location;
mod log;
mod maintenance;
mod metrics;
mod open;
mod parquet_file;
mod read;
mod replace;
mod rows;
mod snapshot;
mod sort;
mod stage;
mod table;
mod tables;
mod tail;
#[cfg(test)]
mod tests;

pub use cell::Cell;
pub use column::{Column, ColumnInfo, Kind, Layout};
pub use commit::{Commit, Operation, Outcome};
pub use config::{Durability, LakeConfig, MaintenanceConfig, S3Config};
pub use dictionary::dictionary;
pub use error::LakeError;
pub use file_writer::FileWriter;
pub use files::{DataFile, Statistics};
pub use identities::Counted;
pub use inspect::{Inspected, inspect};
pub use maintenance::{Maintenance, Merged, Report};
pub use metrics::TableMetrics;
pub use open::Lake;
pub use parquet_file::Purpose;
pub use read::OpenFile;
pub use rows::{Batch, Row, Rows};
pub use snapshot::Snapshot;
pub use stage::StagedFile;
pub use table::Table;
pub use tables::{
    AnomalyRow, CallRow, ControlRow, Correction, DATE, DayCloseRow, DeadLetterRow, PriceRow,
    Revision, SCHEMA_VERSION, Side, TableName, TableSpec,
};
