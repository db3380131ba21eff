//! A table of a book file, read key by key; unknown keys are refused with the nearest known one.

use std::str::FromStr;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::money::Decimal;
use crate::pricing::BookError;
use crate::time::Timestamp;

/// What reading a file needs to say where something is wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct File<'a> {
    pub name: &'a str,
    pub text: &'a str,
}

impl File<'_> {
    pub(super) fn error(&self, offset: usize, message: impl Into<String>) -> BookError {
        BookError::new(self.name, Some(line_of(self.text, offset)), message)
    }
}

/// The line, counted from 1, that the byte at `offset` stands in.
pub(in crate::pricing) fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// One table, and where it begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a, 'i> {
    pub file: File<'a>,
    pub offset: usize,
    table: &'a DeTable<'i>,
}

type Value<'i> = Spanned<DeValue<'i>>;

impl<'a, 'i> Fields<'a, 'i> {
    pub(super) fn new(file: File<'a>, offset: usize, table: &'a DeTable<'i>) -> Self {
        Self { file, offset, table }
    }

    /// Refuses keys that none of the lists names.
    pub(super) fn only(&self, known: &[&[&str]]) -> Result<(), BookError> {
        for (key, _) in self.table.iter() {
            let name: &str = key.get_ref();
            if known.iter().any(|list| list.contains(&name)) {
                continue;
            }
            let all = known.iter().flat_map(|list| list.iter());
            let nearest = all.min_by_key(|known| strsim::levenshtein(name, known));
            let hint = nearest.map(|nearest| format!(", did you mean `{nearest}`"));
            let message = format!("unknown key `{name}`{}", hint.unwrap_or_default());
            return Err(self.file.error(key.span().start, message));
        }
        Ok(())
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The entries, sorted by key, with the place of each key.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, usize, &'a Value<'i>)> {
        self.table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span().start, value))
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<Arc<str>>, BookError> {
        self.table.get(key).map(|value| self.text_of(key, value)).transpose()
    }

    fn text_of(&self, key: &str, value: &Value<'i>) -> Result<Arc<str>, BookError> {
        let text = value.get_ref().as_str().map(Into::into);
        text.ok_or_else(|| self.wrong(value, key, "a text"))
    }

    pub(super) fn texts(&self, key: &str) -> Result<Option<Vec<Arc<str>>>, BookError> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let Some(items) = value.get_ref().as_array() else {
            return self.text_of(key, value).map(|text| Some(vec![text]));
        };
        items.iter().map(|item| self.text_of(key, item)).collect::<Result<_, _>>().map(Some)
    }

    pub(super) fn count(&self, key: &str) -> Result<Option<u64>, BookError> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let count = number_text(value.get_ref()).and_then(|text| Decimal::from_str(text).ok());
        let count = count.and_then(Decimal::to_count);
        count.map(Some).ok_or_else(|| self.wrong(value, key, "a whole number"))
    }

    pub(super) fn counts(&self, key: &str) -> Result<Option<Vec<u64>>, BookError> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let items = value.get_ref().as_array();
        let counts = items.and_then(|items| {
            let texts = items.iter().map(|item| number_text(item.get_ref()));
            texts.map(|text| text?.parse().ok()).collect()
        });
        counts.map(Some).ok_or_else(|| self.wrong(value, key, "a list of whole numbers"))
    }

    /// A number as written, in quotes or without: it never passes through a float.
    pub(super) fn decimal(&self, key: &str) -> Result<Option<Decimal>, BookError> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let decimal = number_text(value.get_ref()).and_then(|text| text.parse().ok());
        let decimal = decimal.filter(|decimal: &Decimal| !decimal.is_negative());
        decimal.map(Some).ok_or_else(|| self.wrong(value, key, "a decimal number, `1.1`"))
    }

    /// A date (its first instant in UTC) or a time.
    pub(super) fn time(&self, key: &str) -> Result<Option<Timestamp>, BookError> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let text = match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Datetime(time) => Some(time.to_string()),
            _ => None,
        };
        let time = text.and_then(|text| match text.len() {
            10 => format!("{text}T00:00:00Z").parse().ok(),
            _ => text.parse().ok(),
        });
        let expected = "a date `2026-11-22` or a time `2026-11-22T12:00:00Z`";
        time.map(Some).ok_or_else(|| self.wrong(value, key, expected))
    }

    /// The table under `key`.
    pub(super) fn table(&self, key: &str) -> Result<Option<Self>, BookError> {
        self.table.get(key).map(|value| self.table_of(key, value)).transpose()
    }

    fn table_of(&self, key: &str, value: &'a Value<'i>) -> Result<Self, BookError> {
        let table = value.get_ref().as_table().ok_or_else(|| self.wrong(value, key, "a table"))?;
        Ok(Self { file: self.file, offset: value.span().start, table })
    }

    /// The tables under `key`: a list of them, or a single one.
    pub(super) fn tables(&self, key: &str) -> Result<Vec<Self>, BookError> {
        let Some(value) = self.table.get(key) else { return Ok(Vec::new()) };
        let array: Option<&'a DeArray<'i>> = value.get_ref().as_array();
        match array {
            Some(items) => items.iter().map(|item| self.table_of(key, item)).collect(),
            None => Ok(vec![self.table_of(key, value)?]),
        }
    }

    pub(super) fn wrong(&self, value: &Value<'i>, key: &str, expected: &str) -> BookError {
        self.file.error(value.span().start, format!("`{key}` must be {expected}"))
    }

    pub(super) fn missing(&self, key: &str) -> BookError {
        self.file.error(self.offset, format!("`{key}` is missing"))
    }
}

/// The digits of a number, or a text, as they stand in the file.
pub(super) fn number_text<'v>(value: &'v DeValue<'_>) -> Option<&'v str> {
    match value {
        DeValue::String(text) => Some(text.as_ref()),
        DeValue::Integer(integer) if integer.radix() == 10 => Some(integer.as_str()),
        DeValue::Float(float) => Some(float.as_str()),
        _ => None,
    }
}
