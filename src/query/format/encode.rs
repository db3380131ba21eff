//! An answer in one piece, in any format.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use serde_json::Value;

use super::{csv, json, ndjson};
use crate::query::answer::Answer;
use crate::query::error::QueryError;
use crate::query::value;

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One object: columns, rows, versions.
    #[default]
    Json,
    /// One object a row.
    Ndjson,
    /// A header and a line a row. Cells that a spreadsheet would take for a formula are quoted by
    /// an apostrophe.
    Csv,
}

impl Format {
    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// Writes a whole answer.
///
/// # Errors
/// The first error of the answer's rows.
pub async fn encode(answer: &mut Answer, format: Format) -> Result<Vec<u8>, QueryError> {
    let batches = answer.collect().await?;
    let written = match format {
        Format::Json => json::document(answer, &batches),
        Format::Ndjson => batches.iter().map(ndjson::lines).collect::<Result<Vec<_>, _>>(),
        Format::Csv => csv::table(&answer.schema(), &batches),
    };
    written.map(|parts| parts.concat()).map_err(|why| QueryError::Internal(why.to_string()))
}

/// The rows of a batch, each a cell per column.
pub(super) fn rows(batch: &RecordBatch) -> Result<impl Iterator<Item = Row>, ArrowError> {
    let columns = batch.columns().iter().map(value::plain).collect::<Result<Vec<_>, _>>()?;
    let row = move |row| columns.iter().map(|column| value::json(column, row)).collect();
    Ok((0..batch.num_rows()).map(row))
}

/// The cells of a row.
pub(super) type Row = Result<Vec<Value>, ArrowError>;
