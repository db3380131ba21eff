//! Cells as JSON: exact, and readable without a schema.
//!
//! Decimals are texts, times RFC 3339 in UTC, bytes hexadecimal, maps objects, lists arrays.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Map, Value};

use crate::money::Decimal;

/// How a time is written; it is in UTC by then.
const TIME: &str = "%Y-%m-%dT%H:%M:%S%.fZ";

/// A column with its times in UTC and its dictionary resolved.
pub(super) fn plain(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match column.data_type() {
        DataType::Timestamp(unit, Some(zone)) if zone.as_ref() != "UTC" => {
            cast(column, &DataType::Timestamp(*unit, Some("UTC".into())))
        }
        DataType::Dictionary(_, values) => cast(column, values),
        _ => Ok(Arc::clone(column)),
    }
}

/// A cell as JSON.
///
/// # Errors
/// When it has no text.
pub fn json(array: &dyn Array, row: usize) -> Result<Value, ArrowError> {
    if array.is_null(row) || array.data_type().is_null() {
        return Ok(Value::Null);
    }
    Ok(match array.data_type() {
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Decimal128(_, scale) if *scale >= 0 => {
            let mantissa = array.as_primitive::<Decimal128Type>().value(row);
            Value::String(Decimal::new(mantissa, u32::from(scale.unsigned_abs())).to_string())
        }
        DataType::List(_) => items(&array.as_list::<i32>().value(row))?,
        DataType::LargeList(_) => items(&array.as_list::<i64>().value(row))?,
        DataType::Map(_, _) => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let pairs = (0..entries.len()).map(|at| Ok((shown(keys, at)?, json(values, at)?)));
            Value::Object(pairs.collect::<Result<Map<String, Value>, ArrowError>>()?)
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().iter();
            let named = fields.iter().zip(columns);
            let pairs = named.map(|(field, column)| Ok((field.name().clone(), json(column, row)?)));
            Value::Object(pairs.collect::<Result<Map<String, Value>, ArrowError>>()?)
        }
        kind if kind.is_integer() || kind.is_floating() => {
            let text = shown(array, row)?;
            // What JSON has no number for (NaN, infinity) stays a text.
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        }
        _ => Value::String(shown(array, row)?),
    })
}

fn items(items: &dyn Array) -> Result<Value, ArrowError> {
    (0..items.len()).map(|item| json(items, item)).collect::<Result<Vec<_>, _>>().map(Value::Array)
}

/// A cell as text.
fn shown(array: &dyn Array, row: usize) -> Result<String, ArrowError> {
    let options = FormatOptions::default()
        .with_timestamp_format(Some(TIME))
        .with_timestamp_tz_format(Some(TIME));
    ArrayFormatter::try_new(array, &options)?.value(row).try_to_string()
}
