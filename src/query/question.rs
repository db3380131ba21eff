//! The questions of `sql/`: each a file that a person can read and run.

use super::error::QueryError;
use super::header::{ColumnNote, Header, Parameter, statement};
use super::local_time::time_zone;
use super::narrow::{NARROWING, Narrow, TermError, Terms, instant_in, nothing_left, term, zone_of};
use super::request::SqlRequest;
use crate::lake::TableName;
use crate::time::Timestamp;

/// A question and its statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// Its name: the file's, without `.sql`.
    pub name: &'static str,
    /// The file: a header comment with the question, its parameters and columns, and the statement.
    pub sql: &'static str,
}

macro_rules! questions {
    ($($name:literal),* $(,)?) => {
        /// Every question.
        pub const QUESTIONS: &[Question] = &[
            $(Question { name: $name, sql: include_str!(concat!("../../sql/", $name, ".sql")) },)*
        ];
    };
}

questions!(
    "anomalies",
    "billed_then_and_now",
    "cache_savings",
    "conflicts",
    "cost_by_business_unit",
    "cost_by_customer",
    "cost_by_day",
    "cost_by_environment",
    "cost_by_feature",
    "cost_by_model",
    "cost_by_product",
    "cost_by_product_and_feature",
    "cost_by_service",
    "cost_by_team",
    "cost_by_team_and_model",
    "cost_by_tenant",
    "cost_by_user",
    "cost_per_operation",
    "cost_per_thousand_output_tokens",
    "cost_per_trace",
    "data_quality",
    "dead_letters_by_reason",
    "drift_against_reported",
    "duplicates",
    "estimated_share",
    "failed_and_aborted",
    "freshness",
    "late_events",
    "latency_and_tokens_by_model",
    "models_by_feature",
    "month_to_date",
    "priced_share",
    "reported_vs_computed",
    "revisions",
    "throttled_and_fallbacks",
    "top_customers",
    "top_movers",
    "unattributed_columns",
    "unattributed_spend",
    "unpriced_by_model",
    "waste",
);

/// The questions that say how far the figures can be trusted, in reading order.
pub const QUALITY: [&str; 12] = [
    "data_quality",
    "priced_share",
    "unpriced_by_model",
    "estimated_share",
    "unattributed_spend",
    "unattributed_columns",
    "duplicates",
    "conflicts",
    "late_events",
    "dead_letters_by_reason",
    "drift_against_reported",
    "freshness",
];

/// The tables whose rows terms can narrow.
const NARROWED: [TableName; 2] = [TableName::Calls, TableName::DeadLetters];

impl Question {
    /// The question of that name.
    pub fn named(name: &str) -> Option<Self> {
        QUESTIONS.iter().find(|question| question.name == name).copied()
    }

    /// What it asks.
    pub fn asks(&self) -> String {
        Header::of(self.sql).question
    }

    /// Its parameters; the first is `$1`.
    pub fn parameters(&self) -> Vec<Parameter> {
        Header::of(self.sql).parameters
    }

    /// The columns of its answer.
    pub fn columns(&self) -> Vec<ColumnNote> {
        Header::of(self.sql).columns
    }

    /// The question with its parameters out of the terms, about the calls that the other terms
    /// leave in; `now` is when it is asked.
    ///
    /// # Errors
    /// [`TermError`] when a parameter is missing or not understood, or a term is left over.
    pub fn asked(&self, terms: Terms, now: Timestamp) -> Result<Asked, TermError> {
        let mut terms = terms;
        let zone = zone_of(&terms)?;
        let mut values = Vec::new();
        let parameters = self.parameters();
        for parameter in &parameters {
            let given = terms.remove(&parameter.name).or_else(|| parameter.default.clone());
            let missing = || term(&parameter.name, &format!("is missing: {}", parameter.meaning));
            values.push(value(parameter, &given.ok_or_else(missing)?, zone.as_deref(), now)?);
        }
        // Without such a parameter it says by whose clocks days are meant.
        terms.remove("time_zone");
        let narrow = Narrow::take(&mut terms, zone.as_deref())?;
        let names: Vec<&str> = parameters.iter().map(|it| it.name.as_str()).collect();
        let expected = [names.join(", "), NARROWING.to_owned()];
        let expected: Vec<String> = expected.into_iter().filter(|it| !it.is_empty()).collect();
        nothing_left(&terms, &expected.join(", "))?;
        Ok(Asked { question: *self, values, narrow })
    }

    /// Whether it reads rows that terms cannot narrow.
    fn reads_others(&self) -> bool {
        let others = TableName::ALL.into_iter().filter(|table| !NARROWED.contains(table));
        others.into_iter().any(|table| self.reads(table))
    }

    fn reads(&self, table: TableName) -> bool {
        let mut words = statement(self.sql).split_whitespace();
        let mut before = "";
        words.any(|word| {
            let reads = matches!(before, "FROM" | "JOIN");
            before = word;
            reads && word.trim_end_matches([',', ')']) == table.name()
        })
    }
}

/// A question with all that it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    question: Question,
    values: Vec<String>,
    narrow: Narrow,
}

impl Asked {
    /// The statement behind it: as it stands in its file, over the rows that are left in.
    ///
    /// # Errors
    /// [`QueryError::UnknownName`] when its rows cannot be told apart by that.
    pub fn to_sql(&self) -> Result<SqlRequest, QueryError> {
        let mut parameters: Vec<_> = self.values.iter().map(|text| text.as_str().into()).collect();
        if self.narrow.is_everything() {
            return Ok(SqlRequest { parameters, ..SqlRequest::new(self.question.sql) });
        }
        if self.question.reads_others() {
            let name = self.question.name;
            let why = format!("`{name}` cannot be narrowed by from, to or filter.COLUMN");
            return Err(QueryError::UnknownName(why));
        }
        let mut tables = Vec::new();
        for table in NARROWED.into_iter().filter(|table| self.question.reads(*table)) {
            let conditions = self.narrow.conditions(table, &mut parameters)?.join(" AND ");
            let name = table.name();
            tables.push(format!("{name} AS (SELECT * FROM public.{name} WHERE {conditions})"));
        }
        let (tables, rest) = (tables.join(", "), statement(self.question.sql));
        let sql = match rest.strip_prefix("WITH ") {
            Some(rest) => format!("WITH {tables}, {rest}"),
            None => format!("WITH {tables} {rest}"),
        };
        Ok(SqlRequest { parameters, ..SqlRequest::new(sql) })
    }
}

/// A parameter's text as it is bound: what its name stands for is checked here, where it can be
/// said what was expected.
fn value(
    parameter: &Parameter,
    given: &str,
    zone: Option<&str>,
    now: Timestamp,
) -> Result<String, TermError> {
    let wrong = |why: String| term(&parameter.name, &why);
    let instant = |text: &str| match text {
        "now" => Ok(now),
        _ => instant_in(text, zone).map_err(wrong),
    };
    match parameter.name.as_str() {
        "day" if given == "today" => day_of(now, zone).map_err(wrong),
        "day" if given.len() > "2026-11-23".len() => {
            Err(wrong("expected a day such as `2026-11-23`".to_owned()))
        }
        "day" => instant_in(given, None).map(|at| at.date()).map_err(wrong),
        "at" | "since" => Ok(instant(given)?.to_string()),
        "time_zone" => {
            let zone = time_zone(given).map_err(wrong)?;
            Ok(zone.iana_name().unwrap_or(given).to_owned())
        }
        _ => Ok(given.to_owned()),
    }
}

/// The day that it is in a time zone; without one in UTC.
fn day_of(now: Timestamp, zone: Option<&str>) -> Result<String, String> {
    let rules = time_zone(zone.unwrap_or("UTC"))?;
    let instant = jiff::Timestamp::from_microsecond(now.micros());
    let instant = instant.map_err(|_| "a time outside of the calendar".to_owned())?;
    Ok(instant.to_zoned_datetime(rules).date().to_string())
}
