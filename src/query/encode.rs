//! Answers as bytes: JSON, NDJSON, CSV.

use serde_json::{Map, Value, json};

use super::engine::Answer;
use super::value;

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

/// Writes an answer.
pub fn encode(answer: &Answer, format: Format) -> Vec<u8> {
    match format {
        Format::Json => as_json(answer),
        Format::Ndjson => as_ndjson(answer),
        Format::Csv => as_csv(answer),
    }
}

fn rows(answer: &Answer) -> impl Iterator<Item = Vec<Value>> + '_ {
    answer.batches.iter().flat_map(|batch| {
        (0..batch.num_rows())
            .map(|row| batch.columns().iter().map(|column| value::json(column, row)).collect())
    })
}

fn as_json(answer: &Answer) -> Vec<u8> {
    let fields = answer.schema.fields().iter();
    let columns: Vec<Value> = fields
        .map(|field| json!({"name": field.name(), "type": field.data_type().to_string()}))
        .collect();
    let versions: Map<String, Value> =
        answer.versions.iter().map(|(name, at)| (name.name().to_owned(), json!(at))).collect();
    let document = json!({
        "columns": columns,
        "rows": rows(answer).collect::<Vec<_>>(),
        "truncated": answer.truncated,
        "versions": versions,
    });
    document.to_string().into_bytes()
}

fn as_ndjson(answer: &Answer) -> Vec<u8> {
    let names: Vec<&String> = answer.schema.fields().iter().map(|field| field.name()).collect();
    let mut out = Vec::new();
    for row in rows(answer) {
        let object: Map<String, Value> =
            names.iter().map(|name| (*name).clone()).zip(row).collect();
        out.extend(Value::Object(object).to_string().into_bytes());
        out.push(b'\n');
    }
    out
}

fn as_csv(answer: &Answer) -> Vec<u8> {
    let fields = answer.schema.fields();
    let header: Vec<String> = fields.iter().map(|field| quoted(&safe(field.name()))).collect();
    let mut out = header.join(",") + "\r\n";
    for row in rows(answer) {
        let cells: Vec<String> = row
            .iter()
            .zip(fields.iter())
            .map(|(cell, field)| match cell {
                Value::Null => String::new(),
                Value::String(text) if field.data_type().is_numeric() => text.clone(),
                Value::String(text) => quoted(&safe(text)),
                other => quoted(&other.to_string()),
            })
            .collect();
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
    out.into_bytes()
}

/// A text that a spreadsheet does not take for a formula.
fn safe(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
