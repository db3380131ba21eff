//! SQL and cost questions over the lake's snapshots.
//!
//! A question is one statement that reads. It sees one version of each table and, where its scope
//! says so, the rows of some tenants only. Nothing here writes.

mod answer;
mod config;
mod engine;
mod error;
mod parameter;
mod request;
mod scan;
mod session;
mod statement;
#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use config::QueryConfig;
pub use engine::QueryEngine;
pub use error::QueryError;
pub use request::{Scope, SqlRequest};
