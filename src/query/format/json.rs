//! One JSON document: columns, rows, whether rows were cut off, table versions.

use arrow::array::RecordBatch;
use arrow::datatypes::FieldRef;
use arrow::error::ArrowError;
use serde_json::{Map, Value, json};

use super::encode::rows;
use crate::query::answer::Answer;

/// The document, in parts.
pub(super) fn document(
    answer: &Answer,
    batches: &[RecordBatch],
) -> Result<Vec<Vec<u8>>, ArrowError> {
    let schema = answer.schema();
    let kind = |field: &FieldRef| field.data_type().to_string();
    let column = |field: &FieldRef| json!({"name": field.name(), "type": kind(field)});
    let columns: Vec<Value> = schema.fields().iter().map(column).collect();
    let mut parts = vec![format!("{{\"columns\":{},\"rows\":[", json!(columns)).into_bytes()];
    let mut separator = "";
    for batch in batches {
        for row in rows(batch)? {
            parts.push(format!("{separator}{}", Value::Array(row?)).into_bytes());
            separator = ",";
        }
    }
    let named = answer.versions.iter().map(|(name, at)| (name.name().to_owned(), json!(at)));
    let versions = Value::Object(named.collect::<Map<_, _>>());
    let truncated = answer.truncated();
    parts.push(format!("],\"truncated\":{truncated},\"versions\":{versions}}}").into_bytes());
    Ok(parts)
}
