//! Which of PostgreSQL's types a column is, and in which form its values are written.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit, TimeUnit};
use arrow::error::ArrowError;
use arrow_pg::datatypes::field_into_pg_type;
use pgwire::api::Type;
use pgwire::api::results::{FieldFormat, FieldInfo};

/// The type of a column. Maps, structures and lists of such are JSON.
pub(super) fn of(field: &FieldRef) -> Type {
    match plain(field.data_type()) {
        DataType::Null => Type::TEXT,
        kind if is_json(&kind) => Type::JSON,
        DataType::Decimal256(_, _) => Type::NUMERIC,
        kind => {
            let field = field.as_ref().clone().with_data_type(kind);
            field_into_pg_type(&Arc::new(field)).unwrap_or(Type::TEXT)
        }
    }
}

/// A column as a client is told of it.
pub(super) fn told(field: &FieldRef, format: FieldFormat) -> FieldInfo {
    let kind = of(field);
    let size = match kind {
        Type::BOOL | Type::CHAR => 1,
        Type::INT2 => 2,
        Type::INT4 | Type::FLOAT4 | Type::DATE | Type::OID => 4,
        Type::INT8 | Type::FLOAT8 | Type::TIME | Type::TIMESTAMP | Type::TIMESTAMPTZ => 8,
        Type::INTERVAL => 16,
        _ => -1,
    };
    // A numeric's digits, before and behind the point, in one number.
    let modifier = match plain(field.data_type()) {
        DataType::Decimal128(digits, scale) if scale >= 0 => {
            (i32::from(digits) << 16 | i32::from(scale)) + 4
        }
        _ => -1,
    };
    FieldInfo::new(field.name().clone(), None, None, kind, format)
        .with_type_size(size)
        .with_type_modifier(modifier)
}

/// Whether values of a plain type are written as JSON.
pub(super) fn is_json(kind: &DataType) -> bool {
    match kind {
        DataType::Map(_, _) | DataType::Struct(_) | DataType::Union(_, _) => true,
        DataType::List(item) => {
            matches!(item.data_type(), DataType::List(_)) || {
                is_json(item.data_type()) || matches!(item.data_type(), DataType::Decimal256(_, _))
            }
        }
        _ => false,
    }
}

/// The one type among several that hold the same values.
pub(super) fn plain(kind: &DataType) -> DataType {
    use DataType as D;
    match kind {
        D::Dictionary(_, values) => plain(values),
        D::RunEndEncoded(_, values) => plain(values.data_type()),
        D::Int8 | D::UInt8 => D::Int16,
        D::UInt16 => D::Int32,
        D::UInt32 => D::Int64,
        D::UInt64 => D::Decimal128(20, 0),
        D::Float16 => D::Float32,
        D::Decimal32(digits, scale) | D::Decimal64(digits, scale) => D::Decimal128(*digits, *scale),
        D::LargeUtf8 | D::Utf8View => D::Utf8,
        D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => D::Binary,
        D::Date64 => D::Date32,
        D::Time32(_) | D::Time64(_) => D::Time64(TimeUnit::Microsecond),
        D::Timestamp(_, zone) => D::Timestamp(TimeUnit::Microsecond, zone.clone()),
        D::Interval(_) | D::Duration(_) => D::Interval(IntervalUnit::MonthDayNano),
        D::List(item)
        | D::LargeList(item)
        | D::ListView(item)
        | D::LargeListView(item)
        | D::FixedSizeList(item, _) => {
            let kind = match plain(item.data_type()) {
                D::Null => D::Utf8,
                kind => kind,
            };
            D::List(Arc::new(Field::new(item.name(), kind, true)))
        }
        other => other.clone(),
    }
}

/// A column in its plain type.
///
/// # Errors
/// When a value is too large for it.
pub(super) fn to_plain(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let kind = plain(column.data_type());
    if kind == *column.data_type() || is_json(&kind) {
        return Ok(Arc::clone(column));
    }
    cast(column, &kind)
}

/// What an array's elements are.
pub(super) fn element(array: &Type) -> Type {
    match *array {
        Type::BOOL_ARRAY => Type::BOOL,
        Type::INT2_ARRAY => Type::INT2,
        Type::INT4_ARRAY => Type::INT4,
        Type::INT8_ARRAY => Type::INT8,
        Type::FLOAT4_ARRAY => Type::FLOAT4,
        Type::FLOAT8_ARRAY => Type::FLOAT8,
        Type::NUMERIC_ARRAY => Type::NUMERIC,
        Type::BYTEA_ARRAY => Type::BYTEA,
        Type::DATE_ARRAY => Type::DATE,
        Type::TIME_ARRAY => Type::TIME,
        Type::TIMESTAMP_ARRAY => Type::TIMESTAMP,
        Type::TIMESTAMPTZ_ARRAY => Type::TIMESTAMPTZ,
        Type::INTERVAL_ARRAY => Type::INTERVAL,
        _ => Type::TEXT,
    }
}
