//! SQL and cost questions over the lake's snapshots.
//!
//! Reads only: one statement, bound parameters, stated limits. A question sees one version of each
//! table and, where its scope says so, the rows of some tenants only. The questions of `sql/` are
//! files, so that commands, HTTP and a person ask the same.

mod answer;
mod catalogue;
mod config;
mod costs;
mod describe;
mod engine;
mod error;
mod extent;
mod format;
mod header;
mod here;
mod local_time;
mod names;
mod narrow;
mod parameter;
mod postgres_columns;
mod postgres_sql;
mod question;
mod request;
mod rows;
mod scan;
mod session;
mod statement;
#[cfg(test)]
pub(crate) mod tests;
mod value;
mod views;
mod worker;

pub use answer::{Answer, NextPage, Used};
pub use catalogue::POSTGRES_SETTINGS;
pub use config::QueryConfig;
pub use costs::{COST_COLUMNS, CostsRequest, Interval};
pub use engine::QueryEngine;
pub use error::QueryError;
pub use format::{Format, encode, ndjson};
pub use header::{ColumnNote, Parameter};
pub use local_time::time_zone;
pub use narrow::{Narrow, TermError, Terms, instant_in};
pub use parameter::{decimal, parameter};
pub use question::{Asked, QUALITY, QUESTIONS, Question};
pub use request::{Described, Dialect, Scope, SqlRequest};
pub use value::json;
pub use worker::{WorkerCommand, be_small, run as run_worker};
