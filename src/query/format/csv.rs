//! Comma-separated values (RFC 4180), safe to open in a spreadsheet.
//!
//! A text that a spreadsheet would take for a formula gets an apostrophe in front; numbers stay
//! what they are.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;
use serde_json::Value;

use super::encode::rows;

/// A header and a line for each row, in parts; `is_safe`: to be opened in a spreadsheet.
pub(super) fn table(
    schema: &Schema,
    batches: &[RecordBatch],
    is_safe: bool,
) -> Result<Vec<Vec<u8>>, ArrowError> {
    let shown = if is_safe { safe } else { str::to_owned };
    let fields = schema.fields();
    let header = fields.iter().map(|field| quoted(&shown(field.name()))).collect::<Vec<_>>();
    let mut parts = vec![line(&header)];
    for batch in batches {
        for row in rows(batch)? {
            let cells = row?;
            let cells = cells
                .iter()
                .zip(fields)
                .map(|(value, field)| cell(value, field.data_type(), shown));
            parts.push(line(&cells.collect::<Vec<_>>()));
        }
    }
    Ok(parts)
}

fn line(cells: &[String]) -> Vec<u8> {
    format!("{}\r\n", cells.join(",")).into_bytes()
}

fn cell(value: &Value, kind: &DataType, shown: fn(&str) -> String) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if kind.is_numeric() => text.clone(),
        Value::String(text) => quoted(&shown(text)),
        other => quoted(&other.to_string()),
    }
}

/// A text that a spreadsheet does not take for a formula
/// (<https://owasp.org/www-community/attacks/CSV_Injection>, read 2026-11-29).
fn safe(text: &str) -> String {
    let formula = ['=', '+', '-', '@', '\t', '\r', '\n'];
    let apostrophe = if text.starts_with(formula) { "'" } else { "" };
    format!("{apostrophe}{text}")
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
