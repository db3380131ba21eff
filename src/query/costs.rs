//! Cost by any columns: a question without SQL.
//!
//! Names are taken from a list, values are bound; what is not priced stands beside what is, and
//! what nobody is named for is shown as `unattributed`.

use super::answer::Answer;
use super::engine::QueryEngine;
use super::error::QueryError;
use super::local_time::time_zone;
use super::narrow::{NARROWING, Narrow, TermError, Terms, column, nothing_left, term, zone_of};
use super::request::{Scope, SqlRequest};
use crate::lake::TableName;

/// What costs can be grouped and filtered by, and the column or expression behind it.
pub const COST_COLUMNS: [(&str, &str); 27] = [
    ("tenant", "tenant"),
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
    ("deployment", "deployment"),
    ("source", "source"),
    ("namespace", "namespace"),
    ("status", "status"),
    ("error_type", "error_type"),
    ("cost_status", "cost_status"),
    ("usage_status", "usage_status"),
];

/// How time is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Interval {
    /// Not at all.
    #[default]
    None,
    /// By hour.
    Hour,
    /// By day.
    Day,
    /// By week, from Monday.
    Week,
    /// By month.
    Month,
}

/// A question about costs.
#[derive(Debug, Clone, Default)]
pub struct CostsRequest {
    /// Names of [`COST_COLUMNS`].
    pub group_by: Vec<String>,
    /// How time is cut.
    pub interval: Interval,
    /// By whose clocks: an IANA name; `None`: UTC.
    pub time_zone: Option<String>,
    /// Which calls.
    pub narrow: Narrow,
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
    /// The question that terms ask: `group_by`, `interval`, `time_zone`, `from`, `to`,
    /// `filter.COLUMN`.
    ///
    /// # Errors
    /// [`TermError`].
    pub fn read(mut terms: Terms) -> Result<Self, TermError> {
        let time_zone = zone_of(&terms)?;
        terms.remove("time_zone");
        let groups = terms.remove("group_by").unwrap_or_default();
        let interval = match terms.remove("interval") {
            None => Interval::None,
            Some(name) => Interval::named(&name)
                .ok_or_else(|| term("interval", "expected hour, day, week or month"))?,
        };
        let narrow = Narrow::take(&mut terms, time_zone.as_deref())?;
        nothing_left(&terms, &format!("group_by, interval, {NARROWING}"))?;
        let group_by = groups.split(',').map(str::trim).filter(|name| !name.is_empty());
        let mut names: Vec<String> = Vec::new();
        for name in group_by {
            // Twice the same column is the same groups.
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        Ok(Self { group_by: names, interval, time_zone, narrow, scope: Scope::All })
    }

    /// The statement behind it.
    ///
    /// # Errors
    /// [`QueryError::UnknownName`] naming the nearest column.
    pub fn to_sql(&self) -> Result<SqlRequest, QueryError> {
        let mut groups = Vec::new();
        let mut selected = String::new();
        let zone = self.zone()?;
        if let Some(unit) = self.interval.unit() {
            let start = match &zone {
                Some(zone) => format!("local_start('{unit}', occurred_at, '{zone}')"),
                None => format!("date_trunc('{unit}', occurred_at)"),
            };
            selected.push_str(&format!("{start} AS period_start, "));
            if let Some(zone) = &zone {
                selected.push_str(&format!("local_time({start}, '{zone}') AS period_local, "));
            }
            groups.push(start);
        }
        for name in &self.group_by {
            let column = column(name)?;
            selected.push_str(&format!("{column} AS {name}, "));
            groups.push(column.to_owned());
        }
        let mut parameters = Vec::new();
        let conditions = self.narrow.conditions(TableName::Calls, &mut parameters)?;
        let (grouping, order) = if groups.is_empty() {
            (String::new(), String::new())
        } else {
            let named = self.interval.unit().map(|_| "period_start".to_owned());
            let by_time = named.iter().cloned();
            let order = by_time.chain(["cost_usd DESC NULLS LAST".to_owned()]);
            let order: Vec<String> = order.chain(self.group_by.iter().cloned()).collect();
            (format!("GROUP BY {}", groups.join(", ")), format!("ORDER BY {}", order.join(", ")))
        };
        let sql = COSTS
            .replace("/* groups */", &selected)
            .replace("/* conditions */", &conditions.join(" AND "))
            .replace("/* grouping */", &grouping)
            .replace("/* order */", &order);
        let scope = self.scope.clone();
        Ok(SqlRequest { parameters, scope, ..SqlRequest::new(sql) })
    }

    /// The time zone as the database spells it: no other text gets into the statement.
    fn zone(&self) -> Result<Option<String>, QueryError> {
        let Some(name) = &self.time_zone else { return Ok(None) };
        let zone = time_zone(name).map_err(QueryError::UnknownName)?;
        Ok(zone.iana_name().map(str::to_owned))
    }
}

impl Interval {
    /// The interval of that name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Hour, Self::Day, Self::Week, Self::Month];
        all.into_iter().find(|interval| interval.unit() == Some(name))
    }

    const fn unit(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Hour => Some("hour"),
            Self::Day => Some("day"),
            Self::Week => Some("week"),
            Self::Month => Some("month"),
        }
    }
}
