//! Cost by any columns: a question without SQL.
//!
//! Names are taken from a list, values are bound; what is not priced stands beside what is, and
//! what nobody is named for is shown as `unattributed`.

use std::collections::BTreeMap;

use datafusion::common::ScalarValue;

use super::answer::Answer;
use super::engine::QueryEngine;
use super::error::QueryError;
use super::request::{Scope, SqlRequest};
use crate::time::Timestamp;

/// What costs can be grouped and filtered by, and the column or expression behind it.
pub const COST_COLUMNS: [(&str, &str); 24] = [
    ("tenant", "coalesce(tenant, 'unattributed')"),
    ("team", "coalesce(team, 'unattributed')"),
    ("product", "coalesce(product, 'unattributed')"),
    ("feature", "coalesce(feature, 'unattributed')"),
    ("environment", "coalesce(environment, 'unattributed')"),
    ("customer", "coalesce(customer, 'unattributed')"),
    ("user_id", "coalesce(user_id, 'unattributed')"),
    ("business_unit", "coalesce(business_unit, 'unattributed')"),
    ("cost_center", "coalesce(cost_center, 'unattributed')"),
    ("project", "coalesce(project, 'unattributed')"),
    ("api_key", "coalesce(api_key, 'unattributed')"),
    ("model", "coalesce(priced_model, response_model)"),
    ("priced_model", "priced_model"),
    ("response_model", "response_model"),
    ("request_model", "request_model"),
    ("provider", "provider"),
    ("api", "api"),
    ("operation", "operation"),
    ("service_tier", "service_tier"),
    ("region", "region"),
    ("source", "source"),
    ("status", "status"),
    ("cost_status", "cost_status"),
    ("usage_status", "usage_status"),
];

/// How time is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interval {
    /// Not at all.
    #[default]
    None,
    /// By UTC hour.
    Hour,
    /// By UTC day.
    Day,
    /// By UTC month.
    Month,
}

/// A question about costs.
#[derive(Debug, Clone, Default)]
pub struct CostsRequest {
    /// Names of [`COST_COLUMNS`].
    pub group_by: Vec<String>,
    /// How time is cut.
    pub interval: Interval,
    /// The first instant.
    pub from: Option<Timestamp>,
    /// The first instant after.
    pub to: Option<Timestamp>,
    /// Names of [`COST_COLUMNS`], each with the one value wanted.
    pub filters: BTreeMap<String, String>,
    /// Whose rows it sees.
    pub scope: Scope,
}

/// The sums, as `sql/costs.sql` has them.
const COSTS: &str = include_str!("../../sql/costs.sql");

impl QueryEngine {
    /// Sums up costs.
    ///
    /// # Errors
    /// [`QueryError::UnknownName`] naming the nearest column, and what asking SQL gives.
    pub async fn costs(&self, request: &CostsRequest) -> Result<Answer, QueryError> {
        let request = request.to_sql()?;
        self.ask(&request).await
    }
}

impl CostsRequest {
    /// The statement behind it.
    ///
    /// # Errors
    /// [`QueryError::UnknownName`] naming the nearest column.
    pub fn to_sql(&self) -> Result<SqlRequest, QueryError> {
        let mut groups = Vec::new();
        if let Some(unit) = self.interval.unit() {
            groups.push((format!("date_trunc('{unit}', occurred_at)"), "period_start".to_owned()));
        }
        for name in &self.group_by {
            groups.push((column(name)?.to_owned(), name.clone()));
        }
        let mut parameters = Vec::new();
        let conditions = self.conditions(&mut parameters)?;
        let selected = groups.iter().map(|(column, name)| format!("{column} AS {name}, "));
        let places: Vec<String> = (1..=groups.len()).map(|place| place.to_string()).collect();
        let (grouping, order) = if places.is_empty() {
            (String::new(), String::new())
        } else {
            let by_time = if self.interval == Interval::None { "" } else { "period_start, " };
            let order =
                format!("ORDER BY {by_time}cost_usd DESC NULLS LAST, {}", places.join(", "));
            (format!("GROUP BY {}", places.join(", ")), order)
        };
        let sql = COSTS
            .replace("/* groups */", &selected.collect::<String>())
            .replace("/* conditions */", &conditions.join(" AND "))
            .replace("/* grouping */", &grouping)
            .replace("/* order */", &order);
        let scope = self.scope.clone();
        Ok(SqlRequest { parameters, scope, ..SqlRequest::new(sql) })
    }

    /// Conditions over bound values.
    fn conditions(&self, parameters: &mut Vec<ScalarValue>) -> Result<Vec<String>, QueryError> {
        let mut conditions = vec!["true".to_owned()];
        let mut bind = |value: ScalarValue| {
            parameters.push(value);
            format!("${}", parameters.len())
        };
        let instant = |at: Timestamp| {
            ScalarValue::TimestampMicrosecond(Some(at.micros()), Some("UTC".into()))
        };
        for (operator, at) in [(">=", self.from), ("<", self.to)] {
            if let Some(at) = at {
                let day = if operator == ">=" { at } else { at.plus_micros(-1) };
                let side = if operator == ">=" { ">=" } else { "<=" };
                let date = bind(ScalarValue::Date32(Some(day.days())));
                let bound = bind(instant(at));
                conditions.push(format!("date {side} {date} AND occurred_at {operator} {bound}"));
            }
        }
        for (name, value) in &self.filters {
            let value = bind(ScalarValue::Utf8(Some(value.clone())));
            conditions.push(format!("{} = {value}", column(name)?));
        }
        Ok(conditions)
    }
}

impl Interval {
    const fn unit(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Hour => Some("hour"),
            Self::Day => Some("day"),
            Self::Month => Some("month"),
        }
    }
}

fn column(name: &str) -> Result<&'static str, QueryError> {
    if let Some((_, column)) = COST_COLUMNS.iter().find(|(known, _)| *known == name) {
        return Ok(column);
    }
    let distance = |known: &str| strsim::damerau_levenshtein(known, name);
    let nearest = COST_COLUMNS.iter().map(|(known, _)| *known).min_by_key(|known| distance(known));
    let nearest = nearest.unwrap_or_default();
    Err(QueryError::UnknownName(format!(
        "costs cannot be grouped or filtered by `{name}`; did you mean `{nearest}`?"
    )))
}
