//! Bound parameters: from the wire's text and binary forms to scalars. Never spliced into a
//! statement; amounts never pass through a float.

use std::str::FromStr;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, TimeUnit};
use bytes::Buf;
use datafusion::scalar::ScalarValue;
use pgwire::api::Type;

use super::{column, numeric};
use crate::query;

const EPOCH_MICROS: i64 = 946_684_800_000_000;
const EPOCH_DAYS: i32 = 10_957;
/// The most elements of an array.
const ITEMS_MAX: usize = 10_000;

/// The type that a parameter of one of PostgreSQL's types has; `None`: the statement must tell.
pub(super) fn kind(of: &Type) -> Option<DataType> {
    use DataType as D;
    Some(match *of {
        Type::BOOL => D::Boolean,
        Type::INT2 => D::Int16,
        Type::INT4 | Type::OID => D::Int32,
        Type::INT8 => D::Int64,
        Type::FLOAT4 => D::Float32,
        Type::FLOAT8 => D::Float64,
        Type::NUMERIC => D::Decimal128(38, 12),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::CHAR => D::Utf8,
        Type::JSON | Type::JSONB | Type::UUID => D::Utf8,
        Type::BYTEA => D::Binary,
        Type::DATE => D::Date32,
        Type::TIME => D::Time64(TimeUnit::Microsecond),
        Type::TIMESTAMP => D::Timestamp(TimeUnit::Microsecond, None),
        Type::TIMESTAMPTZ => D::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Type::INTERVAL => D::Interval(arrow::datatypes::IntervalUnit::MonthDayNano),
        _ if is_array(of) => {
            let item = kind(&column::element(of))?;
            D::new_list(item, true)
        }
        _ => return None,
    })
}

/// A parameter's value. `wanted` is what the statement has it as.
///
/// # Errors
/// What is wrong with it; the value is the sender's own.
pub(super) fn value(
    of: &Type,
    wanted: &DataType,
    bytes: Option<&[u8]>,
    is_binary: bool,
) -> Result<ScalarValue, String> {
    let Some(bytes) = bytes else {
        return ScalarValue::try_from(wanted).map_err(|why| why.strip_backtrace());
    };
    let read = if is_binary { binary(of, bytes) } else { text(of, wanted, bytes) };
    read.ok_or_else(|| {
        let form = if is_binary { "binary" } else { "text" };
        format!("a parameter is no {form} of the type {}", of.name())
    })
}

fn is_array(of: &Type) -> bool {
    column::element(of) != Type::TEXT || matches!(*of, Type::TEXT_ARRAY | Type::VARCHAR_ARRAY)
}

fn text(of: &Type, wanted: &DataType, bytes: &[u8]) -> Option<ScalarValue> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text_scalar = || ScalarValue::Utf8(Some(text.to_owned()));
    match *of {
        Type::BOOL => truth(text).map(|value| ScalarValue::Boolean(Some(value))),
        Type::INT2 => parsed(text).map(|value| ScalarValue::Int16(Some(value))),
        Type::INT4 => parsed(text).map(|value| ScalarValue::Int32(Some(value))),
        Type::OID => {
            let oid: u32 = text.trim().parse().ok()?;
            Some(ScalarValue::Int32(Some(oid.cast_signed())))
        }
        Type::INT8 => parsed(text).map(|value| ScalarValue::Int64(Some(value))),
        Type::FLOAT4 => parsed(text).map(|value| ScalarValue::Float32(Some(value))),
        Type::FLOAT8 => parsed(text).map(|value| ScalarValue::Float64(Some(value))),
        Type::NUMERIC => query::decimal(text.trim()),
        Type::BYTEA => unhex(text).map(|bytes| ScalarValue::Binary(Some(bytes))),
        Type::DATE | Type::TIME | Type::TIMESTAMP | Type::TIMESTAMPTZ | Type::INTERVAL => {
            let target = kind(of)?;
            // A date is good for a time.
            text_scalar().cast_to(&target).ok()
        }
        _ if is_array(of) => {
            let item = column::element(of);
            let items = split(text)?.into_iter().map(|part| match part {
                Some(part) => self::text(&item, &kind(&item)?, part.as_bytes()),
                None => ScalarValue::try_from(&kind(&item)?).ok(),
            });
            list(items.collect::<Option<Vec<_>>>()?, &kind(&item)?)
        }
        // What is of no known type is a text, which the plan casts to what it needs.
        _ if *wanted == DataType::Utf8 => Some(text_scalar()),
        _ => text_scalar().cast_to(wanted).ok().or_else(|| Some(text_scalar())),
    }
}

fn binary(of: &Type, mut bytes: &[u8]) -> Option<ScalarValue> {
    let length = bytes.len();
    let is = |wanted: usize| (length == wanted).then_some(());
    Some(match *of {
        Type::BOOL => {
            is(1)?;
            ScalarValue::Boolean(Some(bytes.get_u8() != 0))
        }
        Type::INT2 => {
            is(2)?;
            ScalarValue::Int16(Some(bytes.get_i16()))
        }
        Type::INT4 | Type::OID => {
            is(4)?;
            ScalarValue::Int32(Some(bytes.get_i32()))
        }
        Type::INT8 => {
            is(8)?;
            ScalarValue::Int64(Some(bytes.get_i64()))
        }
        Type::FLOAT4 => {
            is(4)?;
            ScalarValue::Float32(Some(bytes.get_f32()))
        }
        Type::FLOAT8 => {
            is(8)?;
            ScalarValue::Float64(Some(bytes.get_f64()))
        }
        Type::NUMERIC => return query::decimal(&numeric::text(bytes)?),
        Type::BYTEA => ScalarValue::Binary(Some(bytes.to_vec())),
        Type::DATE => {
            is(4)?;
            ScalarValue::Date32(Some(bytes.get_i32().checked_add(EPOCH_DAYS)?))
        }
        Type::TIME => {
            is(8)?;
            ScalarValue::Time64Microsecond(Some(bytes.get_i64()))
        }
        Type::TIMESTAMP | Type::TIMESTAMPTZ => {
            is(8)?;
            let zone = (*of == Type::TIMESTAMPTZ).then(|| "UTC".into());
            let micros = bytes.get_i64().checked_add(EPOCH_MICROS)?;
            ScalarValue::TimestampMicrosecond(Some(micros), zone)
        }
        Type::INTERVAL => {
            is(16)?;
            let (micros, days, months) = (bytes.get_i64(), bytes.get_i32(), bytes.get_i32());
            ScalarValue::new_interval_mdn(months, days, micros.checked_mul(1_000)?)
        }
        Type::UUID => {
            let id = uuid::Uuid::from_slice(bytes).ok()?;
            ScalarValue::Utf8(Some(id.to_string()))
        }
        Type::JSONB => {
            // The form's version comes first.
            let text = bytes.strip_prefix(&[1])?;
            ScalarValue::Utf8(Some(std::str::from_utf8(text).ok()?.to_owned()))
        }
        _ if is_array(of) => return items(&column::element(of), bytes),
        _ => ScalarValue::Utf8(Some(std::str::from_utf8(bytes).ok()?.to_owned())),
    })
}

/// The elements of an array in binary form; `of` is what they are.
fn items(of: &Type, mut bytes: &[u8]) -> Option<ScalarValue> {
    let kind = kind(of)?;
    if bytes.remaining() < 12 {
        return None;
    }
    let dimensions = bytes.get_i32();
    let (_has_null, _element) = (bytes.get_i32(), bytes.get_u32());
    if dimensions == 0 {
        return list(Vec::new(), &kind);
    }
    if dimensions != 1 || bytes.remaining() < 8 {
        return None;
    }
    let (count, _first) = (usize::try_from(bytes.get_i32()).ok()?, bytes.get_i32());
    if count > ITEMS_MAX {
        return None;
    }
    let mut items = Vec::new();
    for _ in 0..count {
        let length = (bytes.remaining() >= 4).then(|| bytes.get_i32())?;
        let Ok(length) = usize::try_from(length) else {
            items.push(ScalarValue::try_from(&kind).ok()?);
            continue;
        };
        items.push(binary(of, bytes.get(..length)?)?);
        bytes.advance(length);
    }
    list(items, &kind)
}

fn list(items: Vec<ScalarValue>, kind: &DataType) -> Option<ScalarValue> {
    // Decimals of one array may have different scales.
    let scale = items.iter().filter_map(|item| match item.data_type() {
        DataType::Decimal128(_, scale) => Some(scale),
        _ => None,
    });
    let widest = scale.max().map(|scale| DataType::Decimal128(38, scale));
    let kind = widest.as_ref().unwrap_or(kind);
    let items = items.into_iter().map(|item| item.cast_to(kind)).collect::<Result<Vec<_>, _>>();
    let list = ScalarValue::new_list(&items.ok()?, kind, true);
    let column: ArrayRef = list;
    (column.len() == 1).then(|| ScalarValue::try_from_array(&column, 0).ok())?
}

/// The elements of an array's text, `{a,"b c",NULL}`; arrays in arrays are not read.
fn split(text: &str) -> Option<Vec<Option<String>>> {
    let inside = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    if inside.is_empty() {
        return Some(Vec::new());
    }
    let (mut items, mut item, mut was_quoted) = (Vec::new(), String::new(), false);
    let mut chars = inside.chars();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => item.push(chars.next()?),
            '"' => {
                quoted = !quoted;
                was_quoted = true;
            }
            ',' if !quoted => {
                items.push(element(std::mem::take(&mut item), was_quoted));
                was_quoted = false;
            }
            '{' | '}' if !quoted => return None,
            c => item.push(c),
        }
    }
    items.push(element(item, was_quoted));
    (!quoted && items.len() <= ITEMS_MAX).then_some(items)
}

fn element(text: String, was_quoted: bool) -> Option<String> {
    (was_quoted || !text.eq_ignore_ascii_case("null")).then_some(text)
}

fn parsed<T: FromStr>(text: &str) -> Option<T> {
    text.trim().parse().ok()
}

fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "t" | "true" | "y" | "yes" | "on" | "1" => Some(true),
        "f" | "false" | "n" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x")?;
    let pairs = digits.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_of_text_are_split() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(split("{}"), Some(vec![]));
        assert_eq!(
            split(r#"{a,"b c",NULL,"NULL","x\"y\\",""}"#),
            Some(vec![some("a"), some("b c"), None, some("NULL"), some("x\"y\\"), some("")])
        );
        assert_eq!(split("{{1},{2}}"), None);
        assert_eq!(split("a"), None);
    }

    #[test]
    fn values_are_read_in_both_forms() {
        let read = |of: &Type, bytes: &[u8], is_binary: bool| {
            value(of, &kind(of).unwrap_or(DataType::Utf8), Some(bytes), is_binary)
        };
        let int = Ok(ScalarValue::Int64(Some(-5)));
        assert_eq!(read(&Type::INT8, b"-5", false), int);
        assert_eq!(read(&Type::INT8, &(-5_i64).to_be_bytes(), true), int);
        assert!(read(&Type::INT8, b"five", false).is_err());
        assert!(read(&Type::INT8, &[1], true).is_err());
        let at = Ok(ScalarValue::TimestampMicrosecond(Some(EPOCH_MICROS), Some("UTC".into())));
        assert_eq!(read(&Type::TIMESTAMPTZ, b"2000-01-01 00:00:00+00", false), at);
        assert_eq!(read(&Type::TIMESTAMPTZ, b"2000-01-01T01:00:00.000000+01:00", false), at);
        assert_eq!(read(&Type::TIMESTAMPTZ, &[0; 8], true), at);
        let number = Ok(ScalarValue::Decimal128(Some(15), 38, 1));
        assert_eq!(read(&Type::NUMERIC, b"1.5", false), number);
        let one_and_a_half = [0, 2, 0, 0, 0, 0, 0, 1, 0, 1, 0x13, 0x88];
        assert_eq!(read(&Type::NUMERIC, &one_and_a_half, true), number);
        let list = read(&Type::TEXT_ARRAY, b"{a,NULL}", false).expect("a list");
        assert!(matches!(&list, ScalarValue::List(list) if list.value(0).len() == 2), "{list:?}");
        let bytes = Ok(ScalarValue::Binary(Some(vec![1, 255])));
        assert_eq!(read(&Type::BYTEA, b"\\x01ff", false), bytes);
    }
}
