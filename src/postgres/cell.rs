//! One value on the wire, in text or in the binary form of its type.
//!
//! In: a column of a plain type ([`super::column::plain`]). Amounts are written digit by digit.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int16Type,
    Int32Type, Int64Type, IntervalMonthDayNanoType, Time64MicrosecondType,
    TimestampMicrosecondType,
};
use arrow::error::ArrowError;
use bytes::{BufMut, BytesMut};
use pgwire::api::Type;

use super::{column, numeric};
use crate::query;

/// Microseconds from 1970 to 2000, where PostgreSQL begins to count.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
const EPOCH_DAYS: i32 = 10_957;

type Written = Result<(), ArrowError>;

/// Writes a value with its length before it.
///
/// # Errors
/// When the type has no such value.
pub(super) fn put(
    out: &mut BytesMut,
    column: &dyn Array,
    row: usize,
    (kind, is_binary): (&Type, bool),
) -> Written {
    let start = out.len();
    out.put_i32(-1);
    if column.is_null(row) || column.data_type().is_null() {
        return Ok(());
    }
    if column::is_json(column.data_type()) {
        out.put_slice(query::json(column, row)?.to_string().as_bytes());
    } else if is_binary {
        binary(out, column, row, kind)?;
    } else {
        out.put_slice(text(column, row)?.as_bytes());
    }
    let length = i32::try_from(out.len() - start - 4).map_err(|_| too_large())?;
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

fn text(column: &dyn Array, row: usize) -> Result<String, ArrowError> {
    Ok(match column.data_type() {
        DataType::Boolean => if column.as_boolean().value(row) { "t" } else { "f" }.to_owned(),
        DataType::Int16 => column.as_primitive::<Int16Type>().value(row).to_string(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float32 => float(column.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => float(column.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(_, _) => column.as_primitive::<Decimal128Type>().value_as_string(row),
        DataType::Decimal256(_, _) => column.as_primitive::<Decimal256Type>().value_as_string(row),
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        DataType::Binary => hex(column.as_binary::<i32>().value(row)),
        DataType::Date32 => {
            let date = column.as_primitive::<Date32Type>().value_as_date(row);
            date.ok_or_else(too_large)?.to_string()
        }
        DataType::Time64(_) => {
            let time = column.as_primitive::<Time64MicrosecondType>().value_as_time(row);
            time.ok_or_else(too_large)?.to_string()
        }
        DataType::Timestamp(_, zone) => {
            let at = column.as_primitive::<TimestampMicrosecondType>().value_as_datetime(row);
            let at = at.ok_or_else(too_large)?;
            format!("{at}{}", if zone.is_some() { "+00" } else { "" })
        }
        DataType::Interval(_) => {
            let span = column.as_primitive::<IntervalMonthDayNanoType>().value(row);
            interval(span.months, span.days, span.nanoseconds / 1_000)
        }
        DataType::List(_) => array(&column.as_list::<i32>().value(row))?,
        other => return Err(unknown(other)),
    })
}

fn binary(out: &mut BytesMut, column: &dyn Array, row: usize, kind: &Type) -> Written {
    match column.data_type() {
        DataType::Boolean => out.put_u8(u8::from(column.as_boolean().value(row))),
        DataType::Int16 => out.put_i16(column.as_primitive::<Int16Type>().value(row)),
        DataType::Int32 => out.put_i32(column.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => out.put_i64(column.as_primitive::<Int64Type>().value(row)),
        DataType::Float32 => out.put_f32(column.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => out.put_f64(column.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(_, _) | DataType::Decimal256(_, _) => {
            numeric::put(out, &text(column, row)?).ok_or_else(too_large)?;
        }
        DataType::Utf8 => out.put_slice(column.as_string::<i32>().value(row).as_bytes()),
        DataType::Binary => out.put_slice(column.as_binary::<i32>().value(row)),
        DataType::Date32 => {
            let days = column.as_primitive::<Date32Type>().value(row);
            out.put_i32(days.checked_sub(EPOCH_DAYS).ok_or_else(too_large)?);
        }
        DataType::Time64(_) => {
            out.put_i64(column.as_primitive::<Time64MicrosecondType>().value(row));
        }
        DataType::Timestamp(_, _) => {
            let micros = column.as_primitive::<TimestampMicrosecondType>().value(row);
            out.put_i64(micros.checked_sub(EPOCH_MICROS).ok_or_else(too_large)?);
        }
        DataType::Interval(_) => {
            let span = column.as_primitive::<IntervalMonthDayNanoType>().value(row);
            out.put_i64(span.nanoseconds / 1_000);
            out.put_i32(span.days);
            out.put_i32(span.months);
        }
        DataType::List(_) => return items(out, &column.as_list::<i32>().value(row), kind),
        other => return Err(unknown(other)),
    }
    Ok(())
}

/// A list in its binary form: one dimension, from 1.
fn items(out: &mut BytesMut, items: &dyn Array, kind: &Type) -> Written {
    let kind = column::element(kind);
    let count = i32::try_from(items.len()).map_err(|_| too_large())?;
    out.put_i32(i32::from(count > 0));
    out.put_i32(i32::from(items.null_count() > 0));
    out.put_u32(kind.oid());
    if count > 0 {
        out.put_i32(count);
        out.put_i32(1);
    }
    (0..items.len()).try_for_each(|item| put(out, items, item, (&kind, true)))
}

/// A list as text.
fn array(items: &dyn Array) -> Result<String, ArrowError> {
    let item = |item: usize| -> Result<String, ArrowError> {
        if items.is_null(item) {
            return Ok("NULL".to_owned());
        }
        let text = text(items, item)?;
        let special = |c: char| c.is_whitespace() || "{},\"\\".contains(c);
        if !text.is_empty() && !text.contains(special) && !text.eq_ignore_ascii_case("null") {
            return Ok(text);
        }
        Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
    };
    let shown = (0..items.len()).map(item).collect::<Result<Vec<_>, _>>()?;
    Ok(format!("{{{}}}", shown.join(",")))
}

fn float(value: impl std::fmt::Display) -> String {
    match value.to_string().as_str() {
        "inf" => "Infinity".to_owned(),
        "-inf" => "-Infinity".to_owned(),
        text => text.to_owned(),
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\\x{digits}")
}

/// An interval in the style `postgres`: `1 year 2 mons 3 days 04:05:06.5`.
fn interval(months: i32, days: i32, micros: i64) -> String {
    let mut parts = Vec::new();
    for (count, name) in [(months / 12, "year"), (months % 12, "mon"), (days, "day")] {
        if count != 0 {
            parts.push(format!("{count} {name}{}", if count == 1 { "" } else { "s" }));
        }
    }
    if micros != 0 || parts.is_empty() {
        let (sign, whole) = (if micros < 0 { "-" } else { "" }, micros.unsigned_abs());
        let (seconds, rest) = (whole / 1_000_000, whole % 1_000_000);
        let fraction = if rest == 0 { String::new() } else { format!(".{rest:06}") };
        let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
        parts.push(format!("{sign}{hours:02}:{minutes:02}:{:02}{fraction}", seconds % 60));
    }
    parts.join(" ")
}

fn too_large() -> ArrowError {
    ArrowError::ComputeError("a value is out of the type's range".to_owned())
}

fn unknown(kind: &DataType) -> ArrowError {
    ArrowError::NotYetImplemented(format!("values of the type {kind}"))
}
