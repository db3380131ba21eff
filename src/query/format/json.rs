//! One JSON document: columns, rows, whether rows were cut off and how to go on, table versions.

use arrow::array::RecordBatch;
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
    let columns: Vec<Value> = schema.fields().iter().map(column).collect();
    let mut parts = vec![format!("{{\"columns\":{},\"rows\":[", json!(columns)).into_bytes()];
    let mut separator = "";
    for batch in batches {
        for row in rows(batch)? {
            parts.push(format!("{separator}{}", Value::Array(row?)).into_bytes());
            separator = ",";
        }
    }
    let truncated = answer.truncated();
    parts.push(format!("],\"truncated\":{truncated}").into_bytes());
    if answer.next_page.is_some() {
        let token = json!(answer.page_token());
        parts.push(format!(",\"has_more\":{truncated},\"page_token\":{token}").into_bytes());
    }
    // Versions count everybody's commits: a tenant finds them in a header, not among its rows.
    if answer.sees_all() {
        let named = answer.versions.iter().map(|(name, at)| (name.name().to_owned(), json!(at)));
        let versions = Value::Object(named.collect::<Map<_, _>>());
        parts.push(format!(",\"versions\":{versions}").into_bytes());
    }
    parts.push(b"}".to_vec());
    Ok(parts)
}

fn column(field: &arrow::datatypes::FieldRef) -> Value {
    json!({"name": field.name(), "type": field.data_type().to_string()})
}
