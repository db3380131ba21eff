//! Bound parameters: from JSON values to scalars. Never spliced into a statement, never a float.

use datafusion::scalar::ScalarValue;
use serde_json::{Number, Value};

use crate::money::Decimal;

/// Digits of the widest decimal.
const PRECISION_MAX: u8 = 38;

/// A bound parameter from JSON: a text, a number, a truth value or null.
///
/// # Errors
/// What was expected, for an array, an object, or a number that no decimal holds.
pub fn parameter(value: &Value) -> Result<ScalarValue, String> {
    match value {
        Value::Null => Ok(ScalarValue::Null),
        Value::Bool(value) => Ok(ScalarValue::Boolean(Some(*value))),
        Value::String(text) => Ok(ScalarValue::Utf8(Some(text.clone()))),
        Value::Number(number) => number_scalar(number)
            .ok_or_else(|| format!("parameter `{number}`: expected at most 38 digits")),
        Value::Array(_) | Value::Object(_) => {
            Err("a parameter is a text, a number, a truth value or null".to_owned())
        }
    }
}

fn number_scalar(number: &Number) -> Option<ScalarValue> {
    if let Some(whole) = number.as_i64() {
        return Some(ScalarValue::Int64(Some(whole)));
    }
    decimal(&number.to_string())
}

/// A bound parameter from a decimal's text; `None`: it is none, or has more than 38 digits.
pub fn decimal(text: &str) -> Option<ScalarValue> {
    let decimal: Decimal = text.parse().ok()?;
    let scale = i8::try_from(decimal.scale()).ok()?;
    let fits = decimal.mantissa().unsigned_abs() < 10_u128.pow(u32::from(PRECISION_MAX));
    let holds = fits && scale <= 38;
    holds.then(|| ScalarValue::Decimal128(Some(decimal.mantissa()), PRECISION_MAX, scale))
}
