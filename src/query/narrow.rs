//! Which calls a question is about: a span of time, and values of columns.
//!
//! In: the terms of a URL or a command. Out: conditions over bound values; names are taken from a
//! list. Never: a value in a statement's text.

use std::collections::BTreeMap;

use datafusion::scalar::ScalarValue;
use jiff::civil::Date;

use super::costs::COST_COLUMNS;
use super::error::QueryError;
use super::local_time::time_zone;
use crate::attribution::UNATTRIBUTED;
use crate::lake::TableName;
use crate::time::Timestamp;

/// Terms by name, as a URL's query string or a command has them.
pub type Terms = BTreeMap<String, String>;

/// The terms that narrow a question, for messages.
pub(super) const NARROWING: &str = "from, to, time_zone or filter.COLUMN";

/// Columns of dead letters that they can be told apart by.
const LETTER_COLUMNS: [(&str, &str); 3] = [
    ("tenant", "coalesce(tenant, 'unattributed')"),
    ("source", "source"),
    ("namespace", "namespace"),
];

/// A term that is not understood; says what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TermError(pub String);

/// Which calls a question is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Narrow {
    /// The first instant.
    pub from: Option<Timestamp>,
    /// The first instant after.
    pub to: Option<Timestamp>,
    /// Names of [`COST_COLUMNS`], each with the one value wanted.
    pub filters: BTreeMap<String, String>,
}

impl Narrow {
    /// Takes `from`, `to` and `filter.COLUMN` out of the terms. A day such as `2026-11-23` stands
    /// for its beginning in the time zone.
    ///
    /// # Errors
    /// [`TermError`].
    pub fn take(terms: &mut Terms, zone: Option<&str>) -> Result<Self, TermError> {
        let mut instant = |name: &str| {
            let text = terms.remove(name);
            text.map(|text| instant_in(&text, zone)).transpose().map_err(|why| term(name, &why))
        };
        let (from, to) = (instant("from")?, instant("to")?);
        let mut filters = BTreeMap::new();
        terms.retain(|name, value| match name.strip_prefix("filter.") {
            Some(column) => {
                filters.insert(column.to_owned(), std::mem::take(value));
                false
            }
            None => true,
        });
        Ok(Self { from, to, filters })
    }

    /// Whether it leaves everything in.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Conditions over the rows of a table, with the values that they bind.
    ///
    /// # Errors
    /// [`QueryError::UnknownName`] naming the nearest column.
    pub(super) fn conditions(
        &self,
        table: TableName,
        parameters: &mut Vec<ScalarValue>,
    ) -> Result<Vec<String>, QueryError> {
        let mut conditions = vec!["true".to_owned()];
        let mut bind = |value: ScalarValue| {
            parameters.push(value);
            format!("${}", parameters.len())
        };
        let instant = |at: Timestamp| {
            ScalarValue::TimestampMicrosecond(Some(at.micros()), Some("UTC".into()))
        };
        let time = if table == TableName::DeadLetters { "received_at" } else { "occurred_at" };
        for (operator, at) in [(">=", self.from), ("<", self.to)] {
            if let Some(at) = at {
                let day = if operator == ">=" { at } else { at.plus_micros(-1) };
                let side = if operator == ">=" { ">=" } else { "<=" };
                let date = bind(ScalarValue::Date32(Some(day.days())));
                let bound = bind(instant(at));
                conditions.push(format!("date {side} {date} AND {time} {operator} {bound}"));
            }
        }
        for (name, value) in &self.filters {
            let expression = condition(table, name, value)?;
            let value = bind(ScalarValue::Utf8(Some(value.clone())));
            conditions.push(format!("{expression} = {value}"));
        }
        Ok(conditions)
    }
}

/// The expression that is compared. Files are left out by a column itself, and not by one that may
/// be something else, so that stands in only where it is asked for.
fn condition(table: TableName, name: &str, value: &str) -> Result<&'static str, QueryError> {
    let expression = match table {
        TableName::DeadLetters => {
            let known = LETTER_COLUMNS.iter().find(|(known, _)| *known == name);
            known.map(|(_, expression)| *expression).ok_or_else(|| {
                let known = LETTER_COLUMNS.map(|(name, _)| name).join("`, `");
                QueryError::UnknownName(format!(
                    "dead letters cannot be filtered by `{name}`: only by `{known}`"
                ))
            })?
        }
        _ => column(name)?,
    };
    let bare = expression.strip_prefix("coalesce(").and_then(|rest| rest.split_once(", '"));
    Ok(match bare {
        Some((bare, _)) if value != UNATTRIBUTED => bare,
        _ => expression,
    })
}

/// The expression behind a name of [`COST_COLUMNS`].
///
/// # Errors
/// [`QueryError::UnknownName`] naming the nearest one.
pub(super) fn column(name: &str) -> Result<&'static str, QueryError> {
    if let Some((_, column)) = COST_COLUMNS.iter().find(|(known, _)| *known == name) {
        return Ok(column);
    }
    let distance = |known: &str| strsim::damerau_levenshtein(known, name);
    let nearest = COST_COLUMNS.iter().map(|(known, _)| *known).min_by_key(|known| distance(known));
    let nearest = nearest.unwrap_or_default();
    let shown: String = name.chars().take(64).collect();
    Err(QueryError::UnknownName(format!(
        "costs cannot be grouped or filtered by `{shown}`; did you mean `{nearest}`?"
    )))
}

/// The time zone of the terms, which stays there.
///
/// # Errors
/// [`TermError`] when it is none.
pub(super) fn zone_of(terms: &Terms) -> Result<Option<String>, TermError> {
    let Some(name) = terms.get("time_zone") else { return Ok(None) };
    let zone = time_zone(name).map_err(|why| term("time_zone", &why))?;
    // As the database spells it.
    Ok(zone.iana_name().map(str::to_owned))
}

/// An RFC 3339 time, or the beginning of a day such as `2026-11-23` in a time zone; without one in
/// UTC.
///
/// # Errors
/// What was expected.
pub fn instant_in(text: &str, zone: Option<&str>) -> Result<Timestamp, String> {
    let expected = || {
        let shown: String = text.chars().take(64).collect();
        format!("`{shown}`: expected an RFC 3339 time, or a day such as `2026-11-23`")
    };
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let is_day = text.len() == "2026-11-23".len();
    let day = text.parse::<Date>().ok().filter(|_| is_day).ok_or_else(expected)?;
    let zone = time_zone(zone.unwrap_or("UTC"))?;
    let start = day.to_zoned_datetime(zone).and_then(|noon| noon.start_of_day());
    let micros = start.map_err(|_| expected())?.timestamp().as_microsecond();
    Timestamp::from_micros(micros).ok_or_else(expected)
}

/// What is wrong with a term.
pub(super) fn term(name: &str, why: &str) -> TermError {
    TermError(format!("`{name}`: {why}"))
}

/// Refuses terms that nobody took.
///
/// # Errors
/// [`TermError`] naming the first one, and what was expected.
pub(super) fn nothing_left(terms: &Terms, expected: &str) -> Result<(), TermError> {
    match terms.keys().next() {
        None => Ok(()),
        Some(name) => {
            let shown: String = name.chars().take(64).collect();
            Err(term(&shown, &format!("expected {expected}")))
        }
    }
}
