//! What a change of book changes: by key, the price before and after.
//!
//! In: two books. Out: [`Change`]s. Two spellings of one price (2 per million, 0.000002 each) are
//! one price; when an undated source was observed is no change.

use std::collections::BTreeMap;
use std::fmt;

use super::fraction::Fraction;
use super::{Listing, PriceBook};
use crate::money::Decimal;
use crate::time::Timestamp;

/// What a row says: its amount, and until when.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Stated {
    /// The amount or factor as published.
    pub amount: Option<String>,
    /// What it is for.
    pub per: Option<u64>,
    /// The currency; `None` for factors.
    pub currency: Option<String>,
    /// Until when; `None`: until a later row.
    pub effective_to: Option<String>,
}

/// One key that a book has and the other has not, or has otherwise.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Change {
    /// `price`, `multiplier`, `alias`, `fx`.
    pub row_kind: &'static str,
    /// The tenant, where the row overrides for one.
    pub tenant: Option<String>,
    /// The provider.
    pub provider: String,
    /// The model, pattern, alias or currency.
    pub model: String,
    /// The token class or unit; an alias's canonical name; a multiplier's name.
    pub unit_class: Option<String>,
    /// The service tier; `None` is the standard one.
    pub service_tier: Option<String>,
    /// All further conditions as JSON.
    pub conditions: Option<String>,
    /// From when; `None` where the source states no date.
    pub effective_from: Option<String>,
    /// What the old book says; `None`: it has no such row.
    pub old: Option<Stated>,
    /// What the new book says; `None`: it has no such row.
    pub new: Option<Stated>,
    /// By how many per cent the new amount is above the old one: decimal text.
    pub percent: Option<String>,
}

impl PriceBook {
    /// What another book changes, sorted by key.
    pub fn diff(&self, new: &Self) -> Vec<Change> {
        let (old, mut new) = (self.stated(), new.stated());
        let mut changes = Vec::new();
        for (key, before) in old {
            match new.remove(&key) {
                Some(after) if before == after => {}
                after => changes.push(key.change(Some(before), after)),
            }
        }
        changes.extend(new.into_iter().map(|(key, after)| key.change(None, Some(after))));
        changes.sort_by_key(Change::place);
        changes
    }

    /// The rows by key; of several layers' rows with one key the last one's.
    fn stated(&self) -> BTreeMap<Key, Row> {
        let mut rows: Vec<Listing> = self.rows().collect();
        rows.sort_by_key(|row| row.layer_order);
        rows.into_iter().map(|row| (Key::of(&row), Row::of(row))).collect()
    }
}

/// What a row prices, wherever it stands.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    row_kind: &'static str,
    provider: String,
    model: String,
    unit_class: Option<String>,
    service_tier: Option<String>,
    conditions: Option<String>,
    tenant: Option<String>,
    effective_from: Option<Timestamp>,
}

impl Key {
    fn of(row: &Listing) -> Self {
        let conditions = row.conditions.as_deref().and_then(|json| serde_json::from_str(json).ok());
        let mut conditions: serde_json::Map<String, serde_json::Value> =
            conditions.unwrap_or_default();
        let undated = conditions.remove("undated").is_some();
        conditions.remove("float_residue");
        let conditions =
            (!conditions.is_empty()).then(|| serde_json::Value::Object(conditions).to_string());
        Self {
            row_kind: row.row_kind,
            provider: row.provider.clone(),
            model: row.model.clone(),
            unit_class: row.unit_class.clone(),
            service_tier: row.service_tier.clone(),
            conditions,
            tenant: row.tenant.clone(),
            effective_from: row.effective_from.filter(|_| !undated),
        }
    }

    fn change(self, old: Option<Row>, new: Option<Row>) -> Change {
        let rates = old.as_ref().and_then(Row::rate).zip(new.as_ref().and_then(Row::rate));
        Change {
            row_kind: self.row_kind,
            tenant: self.tenant,
            provider: self.provider,
            model: self.model,
            unit_class: self.unit_class,
            service_tier: self.service_tier,
            conditions: self.conditions,
            effective_from: self.effective_from.map(|from| from.to_string()),
            percent: rates.and_then(|(old, new)| percent(old, new)),
            old: old.map(|row| row.0),
            new: new.map(|row| row.0),
        }
    }
}

/// Compared by what it is worth, not by how it is written.
#[derive(Debug)]
struct Row(Stated);

impl Row {
    fn of(row: Listing) -> Self {
        let effective_to = row.effective_to.map(|to| to.to_string());
        let Listing { amount, per, currency, .. } = row;
        Self(Stated { amount, per, currency, effective_to })
    }

    fn rate(&self) -> Option<Fraction> {
        let amount: Decimal = self.0.amount.as_deref()?.parse().ok()?;
        Fraction::pico(amount, self.0.per.unwrap_or(1))
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        let same_worth = match (self.rate(), other.rate()) {
            (Some(one), Some(another)) => one == another,
            _ => self.0.amount == other.0.amount && self.0.per == other.0.per,
        };
        same_worth
            && self.0.currency == other.0.currency
            && self.0.effective_to == other.0.effective_to
    }
}

/// The increase in per cent, cut after one digit.
fn percent(old: Fraction, new: Fraction) -> Option<String> {
    let denominator = new.denominator.checked_mul(old.numerator)?;
    let tenths = new.numerator.checked_mul(old.denominator)?.checked_mul(1_000)?;
    let tenths = tenths.checked_div(denominator)?.checked_sub(1_000)?;
    let sign = if tenths < 0 { "-" } else { "+" };
    Some(format!("{sign}{}", Decimal::new(i128::try_from(tenths.unsigned_abs()).ok()?, 1)))
}

impl Change {
    fn place(&self) -> impl Ord + use<> {
        let Self { provider, model, unit_class, service_tier, conditions, .. } = self.clone();
        let (tenant, from) = (self.tenant.clone(), self.effective_from.clone());
        (self.row_kind, provider, model, unit_class, (service_tier, conditions, tenant, from))
    }
}

impl fmt::Display for Change {
    /// `openai gpt-x input_text: 2.5 USD per 1000000 -> 2 USD per 1000000 (-20 %)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            Some(self.row_kind).filter(|kind| *kind != "price").map(str::to_owned),
            Some(self.provider.clone()).filter(|provider| !provider.is_empty()),
            Some(self.model.clone()),
            self.unit_class.clone(),
            self.service_tier.as_ref().map(|tier| format!("({tier})")),
            self.conditions.clone(),
            self.tenant.as_ref().map(|tenant| format!("for {tenant}")),
            self.effective_from.as_deref().filter(|from| !from.starts_with("1970")).map(since),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(" "))?;
        let said =
            |stated: &Option<Stated>| stated.as_ref().map_or("none".to_owned(), Stated::said);
        write!(f, ": {} -> {}", said(&self.old), said(&self.new))?;
        match &self.percent {
            Some(percent) => write!(f, " ({percent} %)"),
            None => Ok(()),
        }
    }
}

fn since(from: &str) -> String {
    format!("since {}", from.strip_suffix("T00:00:00Z").unwrap_or(from))
}

impl Stated {
    fn said(&self) -> String {
        let per = self.per.filter(|per| *per != 1).map(|per| format!("per {per}"));
        let until = self.effective_to.as_ref().map(|to| format!("until {to}"));
        let parts = [self.amount.clone(), self.currency.clone(), per, until];
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        if text.is_empty() { "there".to_owned() } else { text }
    }
}
