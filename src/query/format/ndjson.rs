//! A JSON object per row and line.
//!
//! As a stream it ends with a line `{"error":{"code":…,"message":…}}` when it fails late, with
//! `{"has_more":true,"page_token":…}` when there is another page, and with `{"truncated":true}`
//! when rows were cut off: whoever reads it must look at the last line.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use futures::{Stream, StreamExt, stream};
use serde_json::{Value, json};

use super::encode::rows;
use crate::query::answer::Answer;
use crate::query::error::QueryError;

/// The lines of a batch.
pub(super) fn lines(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let schema = batch.schema();
    let names: Vec<Value> =
        schema.fields().iter().map(|f| Value::from(f.name().as_str())).collect();
    let mut lines = Vec::new();
    for row in rows(batch)? {
        // By hand: an object of `serde_json` would sort the columns.
        let members = names.iter().zip(row?).map(|(name, cell)| format!("{name}:{cell}"));
        let members = members.collect::<Vec<_>>().join(",");
        lines.extend(format!("{{{members}}}\n").into_bytes());
    }
    Ok(lines)
}

/// The lines as they come. The first rows are waited for, so that what fails at once is an error
/// and not a line.
///
/// # Errors
/// A [`QueryError`] before the first row.
pub async fn ndjson(mut answer: Answer) -> Result<impl Stream<Item = Vec<u8>>, QueryError> {
    let first = answer.next().await.transpose()?;
    let first = first.map(|batch| encoded(Ok(batch)));
    let rest = stream::unfold(Some(answer), |answer| async {
        let mut answer = answer?;
        match answer.next().await {
            Some(Err(error)) => Some((error_line(&error), None)),
            Some(batch) => Some((encoded(batch), Some(answer))),
            None if answer.truncated() => Some((last_line(&answer), None)),
            None => None,
        }
    });
    Ok(stream::iter(first).chain(rest))
}

fn last_line(answer: &Answer) -> Vec<u8> {
    let line = match answer.page_token() {
        Some(token) => json!({"has_more": true, "page_token": token}),
        None => json!({"truncated": true}),
    };
    format!("{line}\n").into_bytes()
}

fn encoded(batch: Result<RecordBatch, QueryError>) -> Vec<u8> {
    let internal = |why: ArrowError| QueryError::Internal(why.to_string());
    let written = batch.and_then(|batch| lines(&batch).map_err(internal));
    written.unwrap_or_else(|error| error_line(&error))
}

fn error_line(error: &QueryError) -> Vec<u8> {
    let line = json!({"error": {"code": error.code(), "message": error.to_string()}});
    format!("{line}\n").into_bytes()
}
