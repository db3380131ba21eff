//! Rows become Arrow batches, one per partition.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Int32Builder,
    Int64Builder, ListBuilder, MapBuilder, MapFieldNames, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::cell::Cell;
use super::column::{Column, Kind};
use super::error::LakeError;

/// What a table holds, a row each.
pub trait Row: Sized + 'static {
    /// The columns of the files, in order; the partition column is not among them.
    fn columns() -> &'static [Column<Self>];

    /// The partition: days since the epoch; `None` in a table without partitions.
    fn date(&self) -> Option<i32>;
}

/// The rows of one partition.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The partition: days since the epoch; `None` in a table without partitions.
    pub date: Option<i32>,
    /// The rows.
    pub rows: RecordBatch,
}

/// Collects rows by partition.
#[derive(Debug)]
pub struct Rows<R: Row> {
    schema: SchemaRef,
    parts: BTreeMap<Option<i32>, Vec<Builder>>,
    rows: usize,
    marker: std::marker::PhantomData<fn(R)>,
}

impl<R: Row> Default for Rows<R> {
    fn default() -> Self {
        let fields: Vec<Field> = R::columns().iter().map(|column| column.info.field()).collect();
        Self {
            schema: Arc::new(Schema::new(fields)),
            parts: BTreeMap::new(),
            rows: 0,
            marker: std::marker::PhantomData,
        }
    }
}

impl<R: Row> Rows<R> {
    /// Adds a row.
    pub fn push(&mut self, row: &R) {
        let columns = R::columns();
        let part = self.parts.entry(row.date());
        let part = part.or_insert_with(|| {
            columns.iter().map(|column| Builder::new(column.info.kind)).collect()
        });
        for (builder, column) in part.iter_mut().zip(columns) {
            builder.append((column.cell)(row), column.info.name);
        }
        self.rows += 1;
    }

    /// How many rows were added.
    pub const fn len(&self) -> usize {
        self.rows
    }

    /// Whether no row was added.
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The batches, by date; the collection is empty afterwards.
    ///
    /// # Errors
    /// [`LakeError::Internal`] when a required column has no value.
    pub fn finish(&mut self) -> Result<Vec<Batch>, LakeError> {
        self.rows = 0;
        let parts = std::mem::take(&mut self.parts).into_iter();
        let batches = parts.map(|(date, mut builders)| {
            let arrays = builders.iter_mut().map(Builder::finish).collect();
            let rows = RecordBatch::try_new(Arc::clone(&self.schema), arrays);
            let rows = rows.map_err(|why| LakeError::internal("building a batch", why))?;
            Ok(Batch { date, rows })
        });
        batches.collect()
    }
}

#[derive(Debug)]
enum Builder {
    Text(StringBuilder),
    Int(Int32Builder),
    Long(Int64Builder),
    Bool(BooleanBuilder),
    Date(Date32Builder),
    Time(TimestampMicrosecondBuilder),
    Bytes(BinaryBuilder),
    Usd(Decimal128Builder),
    Texts(ListBuilder<StringBuilder>),
    TextMap(MapBuilder<StringBuilder, StringBuilder>),
    LongMap(MapBuilder<StringBuilder, Int64Builder>),
    DecimalMap(MapBuilder<StringBuilder, Decimal128Builder>),
}

impl Builder {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text(StringBuilder::new()),
            Kind::Int => Self::Int(Int32Builder::new()),
            Kind::Long => Self::Long(Int64Builder::new()),
            Kind::Bool => Self::Bool(BooleanBuilder::new()),
            Kind::Date => Self::Date(Date32Builder::new()),
            Kind::Time => {
                let builder = TimestampMicrosecondBuilder::new();
                Self::Time(builder.with_data_type(kind.data_type()))
            }
            Kind::Bytes => Self::Bytes(BinaryBuilder::new()),
            Kind::Usd | Kind::UsdTotal => {
                Self::Usd(Decimal128Builder::new().with_data_type(kind.data_type()))
            }
            Kind::Texts => {
                let element = Field::new("element", DataType::Utf8, false);
                Self::Texts(ListBuilder::new(StringBuilder::new()).with_field(element))
            }
            Kind::TextMap => Self::TextMap(map_builder(StringBuilder::new(), DataType::Utf8)),
            Kind::LongMap => Self::LongMap(map_builder(Int64Builder::new(), DataType::Int64)),
            Kind::DecimalMap => {
                let value = match kind.data_type() {
                    DataType::Map(entries, _) => match entries.data_type() {
                        DataType::Struct(fields) => fields.last().map(|f| f.data_type().clone()),
                        _ => None,
                    },
                    _ => None,
                };
                let value = value.unwrap_or(DataType::Decimal128(28, 12));
                let values = Decimal128Builder::new().with_data_type(value.clone());
                Self::DecimalMap(map_builder(values, value))
            }
        }
    }

    /// Appends a cell.
    ///
    /// # Panics
    /// When the declaration of a table names one type and its cell has another: our own fault, and
    /// the same in every row.
    fn append(&mut self, cell: Cell<'_>, column: &str) {
        match (self, cell) {
            (builder, Cell::Null) => builder.append_null(),
            (Self::Text(builder), Cell::Text(text)) => builder.append_value(text),
            (Self::Int(builder), Cell::Int(number)) => builder.append_value(number),
            (Self::Long(builder), Cell::Long(number)) => builder.append_value(number),
            (Self::Bool(builder), Cell::Bool(value)) => builder.append_value(value),
            (Self::Date(builder), Cell::Date(days)) => builder.append_value(days),
            (Self::Time(builder), Cell::Time(instant)) => builder.append_value(instant.micros()),
            (Self::Bytes(builder), Cell::Bytes(bytes)) => builder.append_value(bytes),
            (Self::Usd(builder), Cell::Usd(amount)) => builder.append_value(amount.pico()),
            (Self::Texts(builder), Cell::Texts(texts)) => {
                builder.append_value(texts.into_iter().map(Some));
            }
            (Self::TextMap(builder), Cell::TextMap(map)) => {
                append_map(builder, map, |values, text: &str| values.append_value(text));
            }
            (Self::LongMap(builder), Cell::LongMap(map)) => {
                append_map(builder, map, Int64Builder::append_value);
            }
            (Self::DecimalMap(builder), Cell::DecimalMap(map)) => {
                append_map(builder, map, Decimal128Builder::append_value);
            }
            (builder, cell) => panic!("column `{column}` is {builder:?}, its cell {cell:?}"),
        }
    }

    fn append_null(&mut self) {
        match self {
            Self::Text(builder) => builder.append_null(),
            Self::Int(builder) => builder.append_null(),
            Self::Long(builder) => builder.append_null(),
            Self::Bool(builder) => builder.append_null(),
            Self::Date(builder) => builder.append_null(),
            Self::Time(builder) => builder.append_null(),
            Self::Bytes(builder) => builder.append_null(),
            Self::Usd(builder) => builder.append_null(),
            Self::Texts(builder) => builder.append_null(),
            Self::TextMap(builder) => close_map(builder, false),
            Self::LongMap(builder) => close_map(builder, false),
            Self::DecimalMap(builder) => close_map(builder, false),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::Long(builder) => Arc::new(builder.finish()),
            Self::Bool(builder) => Arc::new(builder.finish()),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::Bytes(builder) => Arc::new(builder.finish()),
            Self::Usd(builder) => Arc::new(builder.finish()),
            Self::Texts(builder) => Arc::new(builder.finish()),
            Self::TextMap(builder) => Arc::new(builder.finish()),
            Self::LongMap(builder) => Arc::new(builder.finish()),
            Self::DecimalMap(builder) => Arc::new(builder.finish()),
        }
    }
}

fn map_builder<V: arrow::array::ArrayBuilder>(
    values: V,
    value: DataType,
) -> MapBuilder<StringBuilder, V> {
    let names = MapFieldNames {
        entry: "key_value".to_owned(),
        key: "key".to_owned(),
        value: "value".to_owned(),
    };
    let builder = MapBuilder::new(Some(names), StringBuilder::new(), values);
    builder.with_values_field(Field::new("value", value, false))
}

fn append_map<'a, B: arrow::array::ArrayBuilder, V>(
    builder: &mut MapBuilder<StringBuilder, B>,
    entries: impl IntoIterator<Item = (&'a str, V)>,
    append: fn(&mut B, V),
) {
    for (name, value) in entries {
        builder.keys().append_value(name);
        append(builder.values(), value);
    }
    close_map(builder, true);
}

fn close_map<B: arrow::array::ArrayBuilder>(
    builder: &mut MapBuilder<StringBuilder, B>,
    valid: bool,
) {
    // It fails only when keys and values differ in number; they are appended in pairs.
    let closed = builder.append(valid);
    debug_assert!(closed.is_ok(), "a key without a value");
}
