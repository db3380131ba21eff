//! Bound parameters: from JSON values to scalars. Never spliced into a statement, never a float.

use datafusion::scalar::ScalarValue;
use serde_json::{Number, Value};

use super::error::QueryError;
use crate::money::Decimal;

/// Digits of the widest decimal.
const PRECISION_MAX: u8 = 38;

/// The scalars of the parameters, in order.
///
/// # Errors
/// [`QueryError::Parameter`] for an array, an object, or a number that no decimal holds.
pub(super) fn scalars(params: &[Value]) -> Result<Vec<ScalarValue>, QueryError> {
    params.iter().enumerate().map(|(index, value)| scalar(index + 1, value)).collect()
}

fn scalar(place: usize, value: &Value) -> Result<ScalarValue, QueryError> {
    match value {
        Value::Null => Ok(ScalarValue::Null),
        Value::Bool(value) => Ok(ScalarValue::Boolean(Some(*value))),
        Value::String(text) => Ok(ScalarValue::Utf8(Some(text.clone()))),
        Value::Number(number) => number_scalar(number).ok_or_else(|| {
            QueryError::Parameter(format!("parameter ${place} = `{number}` has too many digits"))
        }),
        Value::Array(_) | Value::Object(_) => Err(QueryError::Parameter(format!(
            "parameter ${place} must be a text, a number, a boolean or null"
        ))),
    }
}

fn number_scalar(number: &Number) -> Option<ScalarValue> {
    if let Some(whole) = number.as_i64() {
        return Some(ScalarValue::Int64(Some(whole)));
    }
    let decimal: Decimal = number.to_string().parse().ok()?;
    let scale = i8::try_from(decimal.scale()).ok()?;
    let fits = decimal.mantissa().unsigned_abs() < 10_u128.pow(u32::from(PRECISION_MAX));
    let holds = fits && scale <= 38;
    holds.then(|| ScalarValue::Decimal128(Some(decimal.mantissa()), PRECISION_MAX, scale))
}
