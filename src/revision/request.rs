//! A revision as people and programs ask for it, and as they are answered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Applied, Difference, Entry, RevisionError, Scope, Sides, Sum, Terms};
use crate::attribution::{Rules, RulesConfig};
use crate::pipeline::{LoadError, layer};
use crate::pricing::{self, Layer, PriceBook};
use crate::time::Timestamp;

/// A revision as it is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RevisionRequest {
    /// Calls at or after this time, RFC 3339.
    pub from: Option<String>,
    /// Calls before this time, RFC 3339.
    pub to: Option<String>,
    /// Calls of this tenant, as it is now.
    pub tenant: Option<String>,
    /// Further price books, layers over those in force; a later one wins.
    pub books: Vec<Book>,
    /// Whether rows are attributed again, by the rules in force or by `rules`.
    pub attribute: bool,
    /// Rules in place of those in force, as the configuration has them: TOML with `[[senders]]` and
    /// `[[rules]]`.
    pub rules: Option<String>,
    /// What if another model had answered: by the model that did. Never applied.
    pub models: BTreeMap<String, String>,
    /// Whether it is applied; else it is only said what would change.
    pub apply: bool,
    /// Why it is applied; every changed row carries it.
    pub reason: String,
}

/// A price book in a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Book {
    /// What errors call it: its file.
    pub name: String,
    /// Its text: TOML.
    pub text: String,
}

/// What is in force, as far as a revision needs it.
#[derive(Debug, Clone)]
pub struct InForce {
    /// The price books and what is decided beside them.
    pub prices: pricing::Config,
    /// The rules that say who a call is for.
    pub rules: RulesConfig,
}

impl RevisionRequest {
    /// The rows that it is about.
    ///
    /// # Errors
    /// [`RevisionError::Invalid`] when a time is none.
    pub fn scope(&self) -> Result<Scope, RevisionError> {
        let (from, to) = (instant("from", &self.from)?, instant("to", &self.to)?);
        Ok(Scope { from, to, tenant: self.tenant.clone() })
    }

    /// The terms that rows are metered under.
    ///
    /// # Errors
    /// [`RevisionError::Invalid`] with the book's or the rules' file, line and what was expected.
    pub fn terms(&self, in_force: &InForce) -> Result<Terms, RevisionError> {
        let invalid = |why: LoadError| RevisionError::Invalid(why.to_string());
        let layers = in_force.prices.books.iter().map(|path| layer(path));
        let mut layers = layers.collect::<Result<Vec<_>, _>>().map_err(invalid)?;
        layers.extend(self.books.iter().map(|book| Layer::new(&book.name, &book.text)));
        let book = PriceBook::load(&layers).map_err(|why| invalid(why.into()))?;
        let book = book.with_config(&in_force.prices);
        Ok(Terms { book, rules: self.rules(in_force)?, models: self.models.clone() })
    }

    fn rules(&self, in_force: &InForce) -> Result<Option<Rules>, RevisionError> {
        let given = match &self.rules {
            Some(text) => Some(toml::from_str::<RulesConfig>(text).map_err(|why| {
                RevisionError::Invalid(format!("the rules: {}", why.to_string().trim_end()))
            })?),
            None => None,
        };
        let rules = match (&given, self.attribute) {
            (Some(given), _) => given,
            (None, true) => &in_force.rules,
            (None, false) => return Ok(None),
        };
        let rules = Rules::new(rules).map_err(|why| RevisionError::Invalid(why.to_string()))?;
        Ok(Some(rules))
    }
}

fn instant(name: &str, text: &Option<String>) -> Result<Option<Timestamp>, RevisionError> {
    let parsed = text.as_ref().map(|text| text.parse()).transpose();
    parsed.map_err(|why| RevisionError::Invalid(format!("`{name}`: {why}")))
}

/// What a revision changes, as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevisionReport {
    /// Whether it was applied.
    pub applied: bool,
    /// The ids of its commits, oldest first.
    pub revision_ids: Vec<String>,
    /// The version of the book that rows were priced by.
    pub price_book_version: String,
    /// Rows that were looked at.
    pub rows_read: u64,
    /// Rows that change.
    pub rows_changed: u64,
    /// Rows that stay as they are, since metering would refuse them now.
    pub rows_refused: u64,
    /// All rows that were looked at.
    pub total: SidesReport,
    /// The changed rows.
    pub changed: SidesReport,
    /// The changed rows by tenant, model and day.
    pub groups: Vec<GroupReport>,
}

/// Rows before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SidesReport {
    /// Rows before.
    pub rows_before: u64,
    /// Rows after.
    pub rows_after: u64,
    /// What those cost whose cost is known, before: USD.
    pub cost_before: String,
    /// The same after.
    pub cost_after: String,
    /// After less before.
    pub difference: String,
    /// Rows without a known cost, before.
    pub unknown_before: u64,
    /// The same after.
    pub unknown_after: u64,
}

/// Changed rows of one tenant, model and day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupReport {
    /// The tenant.
    pub tenant: String,
    /// The model, as the response named it.
    pub model: String,
    /// The UTC date.
    pub date: String,
    /// The rows.
    #[serde(flatten)]
    pub sides: SidesReport,
}

/// A revision that counts, as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevisionView {
    /// Its id.
    pub revision_id: String,
    /// When.
    pub changed_at: String,
    /// Who asked for it.
    pub changed_by: String,
    /// Why.
    pub reason: String,
    /// The rows.
    #[serde(flatten)]
    pub sides: SidesReport,
}

impl RevisionReport {
    /// The answer to a request: its difference, and what was applied of it.
    pub fn new(terms: &Terms, difference: &Difference, applied: Option<Applied>) -> Self {
        let groups = difference.groups.iter().map(|(group, sides)| GroupReport {
            tenant: group.tenant.clone(),
            model: group.model.clone(),
            date: group.date.clone(),
            sides: SidesReport::of(sides),
        });
        Self {
            applied: applied.is_some(),
            revision_ids: applied.unwrap_or_default().revision_ids,
            price_book_version: terms.book.version().to_owned(),
            rows_read: difference.rows_read,
            rows_changed: difference.rows_changed,
            rows_refused: difference.rows_refused,
            total: SidesReport::of(&difference.total),
            changed: SidesReport::of(&difference.changes()),
            groups: groups.collect(),
        }
    }
}

impl SidesReport {
    fn of(Sides { before, after }: &Sides) -> Self {
        let cost = |sum: &Sum| sum.cost.to_string();
        let difference = after.cost.checked_sub(before.cost).unwrap_or_default();
        Self {
            rows_before: before.rows,
            rows_after: after.rows,
            cost_before: cost(before),
            cost_after: cost(after),
            difference: difference.to_string(),
            unknown_before: before.unknown,
            unknown_after: after.unknown,
        }
    }
}

impl From<&Entry> for RevisionView {
    fn from(entry: &Entry) -> Self {
        Self {
            revision_id: entry.revision_id.clone(),
            changed_at: entry.at.to_string(),
            changed_by: entry.by.clone(),
            reason: entry.reason.clone(),
            sides: SidesReport::of(&entry.sides),
        }
    }
}
