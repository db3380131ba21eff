//! Columns: name, type, unit and meaning in one place, and the cell that a row puts in it.
//!
//! A table is a list of [`Column`]s; schema, builder, Parquet encoding and column dictionary all
//! come from it, so that none can differ from another.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, TimeUnit};

use crate::money::Usd;
use crate::time::Timestamp;

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
    /// US dollars: Decimal(18,12).
    Usd,
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
    /// A dictionary: few different values.
    Dictionary,
    /// Deltas: times, offsets, ids; nearly every value differs.
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
}

impl ColumnInfo {
    /// The Arrow field.
    pub fn field(&self) -> Field {
        Field::new(self.name, self.kind.data_type(), !self.required)
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
        let layout = Layout::Dictionary;
        Self { info: ColumnInfo { name, kind, required: false, unit: "", meaning, layout }, cell }
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
            )$(.$method($($argument)?))*,
        )+];
    };
}
pub(super) use columns;

/// The value of one column in one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Nothing.
    Null,
    /// Text.
    Text(Cow<'a, str>),
    /// 32 bits.
    Int(i32),
    /// 64 bits.
    Long(i64),
    /// True or false.
    Bool(bool),
    /// Days since the epoch.
    Date(i32),
    /// An instant.
    Time(Timestamp),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Money.
    Usd(Usd),
    /// A list of texts.
    Texts(Vec<&'a str>),
    /// Texts by name.
    TextMap(&'a BTreeMap<String, String>),
    /// Counts by name.
    LongMap(Vec<(&'a str, i64)>),
    /// Quantities by name, in units of 1e-12.
    DecimalMap(Vec<(&'a str, i128)>),
}

impl<'a> Cell<'a> {
    /// A count; one beyond 63 bits is held at the largest.
    pub fn count(count: u64) -> Self {
        Self::Long(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// Text that is made for the cell.
    pub fn owned(text: Option<String>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(Cow::Owned(text)))
    }
}

impl<'a, T> From<Option<T>> for Cell<'a>
where
    Cell<'a>: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::from)
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl<'a> From<&'a String> for Cell<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl<'a> From<&'a Option<String>> for Cell<'a> {
    fn from(text: &'a Option<String>) -> Self {
        text.as_deref().into()
    }
}

impl From<i32> for Cell<'_> {
    fn from(number: i32) -> Self {
        Self::Int(number)
    }
}

impl From<i64> for Cell<'_> {
    fn from(number: i64) -> Self {
        Self::Long(number)
    }
}

impl From<u32> for Cell<'_> {
    fn from(number: u32) -> Self {
        Self::Long(number.into())
    }
}

impl From<u64> for Cell<'_> {
    fn from(number: u64) -> Self {
        Self::count(number)
    }
}

impl From<bool> for Cell<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<Timestamp> for Cell<'_> {
    fn from(instant: Timestamp) -> Self {
        Self::Time(instant)
    }
}

impl From<Usd> for Cell<'_> {
    fn from(amount: Usd) -> Self {
        Self::Usd(amount)
    }
}

impl<'a> From<&'a [u8]> for Cell<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a BTreeMap<String, String>> for Cell<'a> {
    fn from(map: &'a BTreeMap<String, String>) -> Self {
        Self::TextMap(map)
    }
}
