//! An answer in one piece, in any format.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use serde_json::Value;

use super::{columnar, csv, json, ndjson};
use crate::query::answer::Answer;
use crate::query::error::QueryError;
use crate::query::value;

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, utoipa::ToSchema)]
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
    /// The same with every cell as it is: for programs, never for a spreadsheet.
    #[serde(rename = "csv_raw")]
    CsvRaw,
    /// An Arrow IPC stream.
    Arrow,
    /// A Parquet file.
    Parquet,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 6] =
        [Self::Json, Self::Ndjson, Self::Csv, Self::CsvRaw, Self::Arrow, Self::Parquet];

    /// Its name in requests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::CsvRaw => "csv_raw",
            Self::Arrow => "arrow",
            Self::Parquet => "parquet",
        }
    }

    /// The format of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Their names, for messages.
    pub const NAMES: &str = "json, ndjson, csv, csv_raw, arrow or parquet";

    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv | Self::CsvRaw => "text/csv; charset=utf-8",
            Self::Arrow => "application/vnd.apache.arrow.stream",
            Self::Parquet => "application/vnd.apache.parquet",
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
        Format::Csv => csv::table(&answer.schema(), &batches, true),
        Format::CsvRaw => csv::table(&answer.schema(), &batches, false),
        Format::Arrow => columnar::arrow(&answer.schema(), &batches),
        Format::Parquet => columnar::parquet(&answer.schema(), &batches),
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
