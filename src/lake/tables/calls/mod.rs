//! `calls`: exactly one row per identity at every version, so that a plain SUM is the truth.

mod columns;
mod row;

pub use columns::{SCHEMA_VERSION, STATISTICS};
pub use row::CallRow;
