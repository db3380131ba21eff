//! Values on their way in and out: parameters, and cells as JSON.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, TimeUnit, TimestampMicrosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::ScalarValue;
use serde_json::{Map, Value};

use crate::money::Decimal;
use crate::time::Timestamp;

/// A bound parameter from JSON: texts, whole numbers, truth values and null. A decimal is a text that
/// the statement casts: `CAST($1 AS DECIMAL(18,12))`.
///
/// # Errors
/// What was expected.
pub fn parameter(value: &Value) -> Result<ScalarValue, String> {
    match value {
        Value::Null => Ok(ScalarValue::Null),
        Value::Bool(value) => Ok(ScalarValue::Boolean(Some(*value))),
        Value::String(text) => Ok(ScalarValue::Utf8(Some(text.clone()))),
        Value::Number(number) => {
            number.as_i64().map(|number| ScalarValue::Int64(Some(number))).ok_or_else(|| {
                format!("parameter `{number}`: expected a whole number; write decimals as text")
            })
        }
        Value::Array(_) | Value::Object(_) => {
            Err("a parameter is a text, a whole number, a truth value or null".to_owned())
        }
    }
}

/// A cell as JSON: decimals as exact text, times as RFC 3339 in UTC, bytes as hex.
pub(super) fn json(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Decimal128(_, scale) if *scale >= 0 => {
            let mantissa = array.as_primitive::<Decimal128Type>().value(row);
            Value::String(Decimal::new(mantissa, u32::from(scale.unsigned_abs())).to_string())
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            Timestamp::from_micros(micros).map_or(Value::Null, |at| Value::String(at.to_string()))
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            Value::Array((0..items.len()).map(|item| json(&items, item)).collect())
        }
        DataType::Map(_, _) => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let pairs = (0..entries.len()).map(|at| (shown(keys, at), json(values, at)));
            Value::Object(pairs.collect::<Map<String, Value>>())
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().iter();
            let named = fields.iter().zip(columns);
            Value::Object(named.map(|(f, column)| (f.name().clone(), json(column, row))).collect())
        }
        kind if kind.is_integer() || kind.is_floating() => {
            serde_json::from_str(&shown(array, row)).unwrap_or_else(|_| shown(array, row).into())
        }
        _ => Value::String(shown(array, row)),
    }
}

/// A cell as text.
fn shown(array: &dyn Array, row: usize) -> String {
    let options = FormatOptions::default().with_timestamp_tz_format(Some("%Y-%m-%dT%H:%M:%S%.fZ"));
    match ArrayFormatter::try_new(array, &options) {
        Ok(formatter) => formatter.value(row).to_string(),
        Err(error) => error.to_string(),
    }
}
