//! The value of one column in one row, and what becomes one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::money::Usd;
use crate::time::Timestamp;

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
    TextMap(Vec<(&'a str, &'a str)>),
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
        Self::TextMap(map.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect())
    }
}
