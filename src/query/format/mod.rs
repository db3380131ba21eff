//! Answers as bytes: JSON, NDJSON, CSV.

mod csv;
mod encode;
mod json;
mod ndjson;

pub use encode::{Format, encode};
pub use ndjson::ndjson;
