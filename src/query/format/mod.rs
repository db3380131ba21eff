//! Answers as bytes: JSON, NDJSON, CSV, Arrow, Parquet.

mod columnar;
mod csv;
mod encode;
mod json;
mod ndjson;

pub use encode::{Format, encode};
pub use ndjson::ndjson;
