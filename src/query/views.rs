//! Texts as views while a question runs, and as plain texts outside.
//!
//! A view holds the bytes of a short text, or the first ones of a longer one: to compare, hash and
//! group texts takes less. Whoever asks gets plain ones, which every reader of Arrow knows.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;

/// A table's columns, its texts as views.
pub(super) fn viewed(schema: &Schema) -> SchemaRef {
    retyped(schema, |kind| match kind {
        DataType::Utf8 => DataType::Utf8View,
        other => other.clone(),
    })
}

/// An answer's columns, its views as texts and bytes.
pub(super) fn plain_schema(schema: &Schema) -> SchemaRef {
    retyped(schema, plain)
}

/// The same rows in the columns of [`plain_schema`].
///
/// # Errors
/// When a text is longer than a column may be.
pub(super) fn plain_rows(rows: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    if rows.schema_ref().fields() == schema.fields() {
        return Ok(rows);
    }
    let fields = schema.fields().iter().zip(rows.columns());
    let columns = fields.map(|(field, column)| cast(column, field.data_type()));
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(
        Arc::clone(schema),
        columns.collect::<Result<_, _>>()?,
        &options,
    )
}

/// A type without views.
pub(super) fn plain(kind: &DataType) -> DataType {
    let inner = |field: &FieldRef| {
        Arc::new(field.as_ref().clone().with_data_type(plain(field.data_type())))
    };
    match kind {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::List(item) => DataType::List(inner(item)),
        DataType::LargeList(item) => DataType::LargeList(inner(item)),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(inner(item), *size),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        DataType::Map(entries, sorted) => DataType::Map(inner(entries), *sorted),
        other => other.clone(),
    }
}

fn retyped(schema: &Schema, change: impl Fn(&DataType) -> DataType) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| -> Field {
        let kind = change(field.data_type());
        field.as_ref().clone().with_data_type(kind)
    });
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()))
}
