//! Which of several rows applies: exactly one price for one thing at one instant.

use std::cmp::Ordering;
use std::sync::Arc;

use super::LayerKind;
use super::condition::Conditions;
use super::facts::Facts;
use super::row::{Place, PriceRow};
use crate::time::Timestamp;

/// What a row is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query<'a> {
    pub at: Timestamp,
    pub tenant: Option<&'a str>,
    pub deployment: Option<&'a str>,
    /// The service tier that served the call.
    pub tier: &'a str,
    /// Where the context tier in force begins; `None`: none is.
    pub context: Option<u64>,
    pub prompt_tokens: u64,
    /// Whether contracts and overrides are left out.
    pub list_only: bool,
    pub facts: &'a Facts<'a>,
}

/// Puts rows in the order in which they win, whatever their order in the files: override before
/// contract before list, exact name before prefix, narrow before wide, literal before factor, the
/// later start, the later layer.
pub(super) fn by_precedence(one: &PriceRow, other: &PriceRow) -> Ordering {
    let key = |row: &PriceRow| {
        let (pattern, weight) = (row.pattern.weight(), row.conditions.weight());
        (
            terms_rank(&row.place),
            pattern,
            weight,
            row.is_literal(),
            row.period.from,
            row.place.layer,
        )
    };
    key(other).cmp(&key(one)).then_with(|| other.conditions.cmp(&one.conditions))
}

impl Query<'_> {
    /// The row that applies, of rows in order of precedence: the first that covers the time, else
    /// the first undated one. Whether it is undated comes with it.
    pub(super) fn pick<'r>(&self, rows: &'r [Arc<PriceRow>]) -> Option<(&'r PriceRow, bool)> {
        let mut assumed = None;
        for row in rows.iter().filter(|row| self.applies(row)) {
            if row.period.contains(self.at) {
                return Some((row, false));
            }
            if assumed.is_none() && row.period.is_assumed(self.at) {
                assumed = Some((row.as_ref(), true));
            }
        }
        assumed
    }

    fn applies(&self, row: &PriceRow) -> bool {
        row.tier.as_ref() == self.tier
            && self.in_context(row)
            && self.concerns(&row.place, &row.conditions)
    }

    /// Whether a row is about this call at all: its tenant and deployment, time of day and facts.
    pub(super) fn concerns(&self, place: &Place, conditions: &Conditions) -> bool {
        (place.kind == LayerKind::List || self.has_terms(place))
            && (conditions.hours.is_empty()
                || conditions.hours.iter().any(|hours| hours.contains(self.at)))
            && self.facts.satisfy(&conditions.when)
    }

    fn in_context(&self, row: &PriceRow) -> bool {
        match (row.conditions.context, self.context) {
            (None, None) => true,
            (Some(range), Some(start)) => {
                range.start() == start && range.contains(self.prompt_tokens)
            }
            _ => false,
        }
    }

    /// Whether a contract or an override is this call's.
    pub(super) fn has_terms(&self, place: &Place) -> bool {
        let mine = |theirs: &Option<Arc<str>>, ours: Option<&str>| {
            theirs.as_deref().is_none_or(|theirs| Some(theirs) == ours)
        };
        !self.list_only
            && mine(&place.tenant, self.tenant)
            && mine(&place.deployment, self.deployment)
    }
}

/// List, contract, override; of one kind everybody's, a tenant's, a deployment's, a tenant's
/// deployment's.
pub(super) fn terms_rank(place: &Place) -> (LayerKind, u8) {
    let scopes = u8::from(place.tenant.is_some()) + 2 * u8::from(place.deployment.is_some());
    (place.kind, scopes)
}
