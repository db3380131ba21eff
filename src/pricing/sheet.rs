//! All rows of one model, ready for rating.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::LayerKind;
use super::condition::ContextRange;
use super::row::{Item, MultiplierRow, Pattern, Place, PriceRow};
use super::select::{Query, by_precedence};
use crate::usage::TokenClass;

/// A model's rows by what they price.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub provider: Arc<str>,
    pub model: Arc<str>,
    tokens: [Vec<Arc<PriceRow>>; TokenClass::ALL.len()],
    units: BTreeMap<Arc<str>, Vec<Arc<PriceRow>>>,
    pub multipliers: Vec<Arc<MultiplierRow>>,
    /// Rows with a context tier, one of each kind: which tiers there are, when and for whom.
    contexts: Vec<Arc<PriceRow>>,
    /// Whether each request has a fee of its own.
    pub prices_requests: bool,
    /// Whether a contract or an override may make the cost differ from the list's.
    pub has_terms: bool,
    /// Whether a row that names the model is for everybody: else only those know of it whom such a
    /// row is for.
    is_everybodys: bool,
}

impl Sheet {
    pub(super) fn new(provider: Arc<str>, model: Arc<str>) -> Self {
        Self { provider, model, ..Self::default() }
    }

    /// The rows that price a token class.
    pub(super) fn rows_of_class(&self, class: TokenClass) -> &[Arc<PriceRow>] {
        self.tokens.get(class as usize).map_or(&[], Vec::as_slice)
    }

    /// The rows that price a unit.
    pub(super) fn rows_of_unit(&self, name: &str) -> &[Arc<PriceRow>] {
        self.units.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn add(&mut self, row: &Arc<PriceRow>) {
        self.has_terms |= row.place.kind != LayerKind::List;
        let known = |other: &Arc<PriceRow>| {
            other.conditions == row.conditions
                && other.period == row.period
                && other.place == row.place
        };
        let tiered = row.is_literal() && row.conditions.context.is_some();
        if tiered && !self.contexts.iter().any(known) {
            self.contexts.push(Arc::clone(row));
        }
        match &row.item {
            Item::Token(class) => {
                if let Some(rows) = self.tokens.get_mut(*class as usize) {
                    rows.push(Arc::clone(row));
                }
            }
            Item::Unit(name) => {
                self.prices_requests |= name.as_ref() == "requests";
                self.units.entry(Arc::clone(name)).or_default().push(Arc::clone(row));
            }
        }
    }

    /// Where the context tier begins that the prompt falls into.
    pub(super) fn context_start(&self, query: &Query<'_>) -> Option<u64> {
        let in_force = |row: &&Arc<PriceRow>| {
            (row.period.contains(query.at) || row.period.is_assumed(query.at))
                && query.concerns(&row.place, &row.conditions)
        };
        let tiers = self.contexts.iter().filter(in_force);
        let ranges = tiers.filter_map(|row| row.conditions.context);
        let ranges = ranges.filter(|range| range.contains(query.prompt_tokens));
        ranges.map(ContextRange::start).max()
    }

    /// Whether it states what tokens cost, beside fees and factors.
    pub(super) fn prices_tokens(&self) -> bool {
        self.prices_tokens_for(|_| true)
    }

    /// The same, by rows for those whom it is asked for.
    pub(super) fn prices_tokens_for(&self, is_mine: impl Fn(&Place) -> bool) -> bool {
        self.tokens.iter().flatten().any(|row| row.is_literal() && is_mine(&row.place))
    }

    /// Whether those know of the model whom the rows are for that are mine: what others have agreed
    /// on with a provider must not make it known to anybody else.
    pub(super) fn is_known(&self, is_mine: impl Fn(&Place) -> bool) -> bool {
        self.is_everybodys || self.rows().any(|row| self.is_named_by(row) && is_mine(&row.place))
    }

    /// Whether it is known to everybody.
    pub(super) const fn is_everybodys(&self) -> bool {
        self.is_everybodys
    }

    /// Whether a row is for this model or prefix, and not for many that it is one of.
    fn is_named_by(&self, row: &PriceRow) -> bool {
        let (Pattern::Exact(name) | Pattern::Prefix(name)) = &row.pattern;
        *name == self.model
    }

    /// Every row, classes before units.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Arc<PriceRow>> {
        self.tokens.iter().flatten().chain(self.units.values().flatten())
    }

    /// Puts the rows in the order in which they win, once all are added.
    pub(super) fn finish(&mut self) {
        self.apply_corrections();
        let agreed = |row: &Arc<MultiplierRow>| row.place.kind != LayerKind::List;
        self.has_terms |= self.multipliers.iter().any(agreed);
        let lists = self.tokens.iter_mut().chain(self.units.values_mut());
        lists.for_each(|rows| rows.sort_by(|one, other| by_precedence(one, other)));
        let everybodys = |place: &Place| place.tenant.is_none() && place.deployment.is_none();
        self.is_everybodys = self.is_known(everybodys);
    }

    /// Drops imported rows that a correcting row puts right: the same key, still the amount that
    /// the correction names.
    fn apply_corrections(&mut self) {
        let lists = self.tokens.iter_mut().chain(self.units.values_mut());
        for rows in lists {
            let corrections: Vec<_> =
                rows.iter().filter(|row| row.corrects.is_some()).cloned().collect();
            rows.retain(|row| {
                row.corrects.is_some()
                    || !row.period.undated
                    || !corrections.iter().any(|correction| {
                        correction.corrects == Some(row.rate) && correction.same_key(row)
                    })
            });
        }
    }
}
