//! SQL and cost questions over the lake's snapshots.
//!
//! Reads only: one statement, bound parameters, stated limits. The questions of `sql/` are files, so
//! that commands, HTTP and a person ask the same.

mod config;
mod costs;
mod encode;
mod engine;
mod error;
mod guard;
mod provider;
mod question;
#[cfg(test)]
mod tests;
mod value;

pub use config::QueryConfig;
pub use costs::{COST_COLUMNS, CostsRequest, Interval};
pub use encode::{Format, encode};
pub use engine::{Answer, QueryEngine, Scope, SqlRequest};
pub use error::QueryError;
pub use question::{QUESTIONS, Question};
pub use value::parameter;
