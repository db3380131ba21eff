//! Columns: name, type, unit and meaning in one place, and the cell that a row puts in it.
//!
//! A table is a list of [`Column`]s; schema, builder, Parquet encoding and column dictionary all
//! come from it, so that none can differ from another.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, TimeUnit};

use super::cell::Cell;
use crate::money::Usd;

/// Digits of the money columns.
const USD_PRECISION: u8 = 18;
/// Digits of a quantity in a map of units.
const QUANTITY_PRECISION: u8 = 28;
/// Digits behind the point, of money and of quantities.
pub const DECIMAL_SCALE: u32 = Usd::SCALE;
const SCALE: i8 = 12;

/// The type of a column; final once a table was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// 32 bits.
    Int,
    /// 64 bits.
    Long,
    /// True or false.
    Bool,
    /// A UTC date.
    Date,
    /// A UTC instant in microseconds.
    Time,
    /// Bytes.
    Bytes,
    /// US dollars of one call: Decimal(18,12).
    Usd,
    /// US dollars of many calls: Decimal(28,12).
    UsdTotal,
    /// A list of texts.
    Texts,
    /// A map from text to text.
    TextMap,
    /// A map from text to a 64-bit count.
    LongMap,
    /// A map from text to a quantity: Decimal(28,12).
    DecimalMap,
}

impl Kind {
    /// The Arrow type.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Int => DataType::Int32,
            Self::Long => DataType::Int64,
            Self::Bool => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Bytes => DataType::Binary,
            Self::Usd => DataType::Decimal128(USD_PRECISION, SCALE),
            Self::UsdTotal => DataType::Decimal128(QUANTITY_PRECISION, SCALE),
            Self::Texts => DataType::List(Arc::new(Field::new("element", DataType::Utf8, false))),
            Self::TextMap => map_of(DataType::Utf8),
            Self::LongMap => map_of(DataType::Int64),
            Self::DecimalMap => map_of(DataType::Decimal128(QUANTITY_PRECISION, SCALE)),
        }
    }

    /// The name in the column dictionary: the Delta type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Int => "integer",
            Self::Long => "long",
            Self::Bool => "boolean",
            Self::Date => "date",
            Self::Time => "timestamp",
            Self::Bytes => "binary",
            Self::Usd => "decimal(18,12)",
            Self::UsdTotal => "decimal(28,12)",
            Self::Texts => "array<string>",
            Self::TextMap => "map<string,string>",
            Self::LongMap => "map<string,long>",
            Self::DecimalMap => "map<string,decimal(28,12)>",
        }
    }
}

fn map_of(values: DataType) -> DataType {
    let entry = [Field::new("key", DataType::Utf8, false), Field::new("value", values, false)];
    let entries = Field::new("key_value", DataType::Struct(Fields::from_iter(entry)), false);
    DataType::Map(Arc::new(entries), false)
}

/// How a column is laid out in Parquet files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// A dictionary: few different values, or numbers.
    Dictionary,
    /// A dictionary that may become large, and is compressed: many different texts.
    LargeDictionary,
    /// Deltas: times, offsets, ids, amounts; nearly every value differs.
    Delta,
    /// As it is: hashes, and text that only compression makes smaller.
    Plain,
}

/// What a column is, whatever fills it.
#[derive(Debug, Clone, Copy)]
pub struct ColumnInfo {
    /// The name; never changed.
    pub name: &'static str,
    /// The type; never changed.
    pub kind: Kind,
    /// Whether every row has it.
    pub required: bool,
    /// The unit, where it is a quantity.
    pub unit: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// How it is laid out in files.
    pub layout: Layout,
    /// The expression that fills it, as the declaration has it; the dictionary names its source.
    pub expression: &'static str,
}

impl ColumnInfo {
    /// The Arrow field.
    pub fn field(&self) -> Field {
        Field::new(self.name, self.kind.data_type(), !self.required)
    }

    /// Whether merged files have a Bloom filter of its values.
    pub fn is_filtered(&self) -> bool {
        self.name == "event_id"
    }

    /// Whether a value of it names one row, or a few.
    pub const fn is_identifier(&self) -> bool {
        matches!(self.kind, Kind::Text) && matches!(self.layout, Layout::Delta)
    }
}

/// A column and what a row of type `R` puts in it.
#[derive(Debug)]
pub struct Column<R> {
    /// What it is.
    pub info: ColumnInfo,
    /// The row's value.
    pub cell: for<'a> fn(&'a R) -> Cell<'a>,
}

impl<R> Column<R> {
    /// A column that may be NULL, with a dictionary.
    pub const fn new(
        name: &'static str,
        kind: Kind,
        meaning: &'static str,
        cell: for<'a> fn(&'a R) -> Cell<'a>,
    ) -> Self {
        let (layout, expression) = (Layout::Dictionary, "");
        let required = false;
        Self {
            info: ColumnInfo { name, kind, required, unit: "", meaning, layout, expression },
            cell,
        }
    }

    /// The same column, with the expression that fills it.
    pub const fn filled_by(mut self, expression: &'static str) -> Self {
        self.info.expression = expression;
        self
    }

    /// The same column, in every row.
    pub const fn required(mut self) -> Self {
        self.info.required = true;
        self
    }

    /// The same column, with its unit.
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.info.unit = unit;
        self
    }

    /// The same column, laid out as deltas.
    pub const fn delta(mut self) -> Self {
        self.info.layout = Layout::Delta;
        self
    }

    /// The same column, of many different texts.
    pub const fn many(mut self) -> Self {
        self.info.layout = Layout::LargeDictionary;
        self
    }

    /// The same column, laid out as it is.
    pub const fn plain(mut self) -> Self {
        self.info.layout = Layout::Plain;
        self
    }
}

/// Declares the columns of a table: documentation, name, type, traits and the row's value.
macro_rules! columns {
    ($visibility:vis $list:ident of $table:ty; $(
        $(#[doc = $meaning:literal])+
        $name:ident: $kind:ident $(.$method:ident($($argument:expr)?))* => |$row:ident| $cell:expr;
    )+) => {
        $visibility const $list: &[Column<$table>] = &[$(
            Column::<$table>::new(
                stringify!($name),
                $crate::lake::column::Kind::$kind,
                concat!($($meaning),+).trim_ascii(),
                |$row: &$table| Cell::from($cell),
            )
            .filled_by(stringify!($cell))
            $(.$method($($argument)?))*,
        )+];
    };
}
pub(super) use columns;
