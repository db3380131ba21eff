//! What a dialect read out of one response's usage block.

use std::collections::BTreeMap;

use super::{Counters, Flags, TokenClass, Tokens};
use crate::money::Decimal;

/// The modality of some tokens is not reported and was attributed by rule.
pub(super) const MODALITY_SPLIT_ESTIMATED: &str = "modality_split_estimated";

/// Units by name: those with a quantity of 0 are left out later.
pub(super) type Units = Vec<(&'static str, u64)>;

/// One response, read.
#[derive(Debug, Clone, Default)]
pub(super) struct Reading {
    /// One entry per priced request; empty when no count is there.
    pub requests: Vec<Counters>,
    /// Whether counts are known to be missing.
    pub is_partial: bool,
    /// Whether only totals are there, and what details would tell is not.
    pub is_totals_only: bool,
    /// The tier that the block names.
    pub service_tier: Option<String>,
    /// Further facts that prices depend on.
    pub facts: BTreeMap<String, String>,
    /// What the block says the call cost, in USD.
    pub reported_cost: Option<Decimal>,
    /// What was noticed.
    pub flags: Flags,
}

impl Reading {
    /// Adds a priced request.
    pub fn push(&mut self, tokens: Tokens) {
        self.requests.push(Counters { tokens, units: BTreeMap::new() });
    }

    /// Adds units to the last request: the one that answered.
    pub fn add_units<N: Into<String>, Q: Into<Decimal>>(
        &mut self,
        units: impl IntoIterator<Item = (N, Q)>,
    ) {
        let units = units.into_iter().map(|(name, quantity)| (name.into(), quantity.into()));
        if let Some(request) = self.requests.last_mut() {
            request.units.extend(units.filter(|(_, quantity)| !quantity.is_zero()));
        }
    }

    /// A request that is not priced by tokens.
    pub fn of_unit(name: impl Into<String>, quantity: impl Into<Decimal>) -> Self {
        let mut reading = Self::default();
        reading.push(Tokens::default());
        reading.add_units([(name, quantity)]);
        reading
    }

    /// Calls what was written another modality: where an API writes only that.
    pub fn rename_output(&mut self, class: TokenClass) {
        for request in &mut self.requests {
            let written = request.tokens.count(TokenClass::OutputText);
            request.tokens.set(TokenClass::OutputText, 0);
            request.tokens.set(class, written);
        }
    }

    /// All tokens read and written; `None` where there are none or too many.
    pub fn sum(&self) -> Option<u64> {
        let tokens = &self.requests.last()?.tokens;
        tokens.total_input()?.checked_add(tokens.total_output()?)
    }

    /// Notes a sum of the provider that differs from ours.
    pub fn compare(&mut self, check: &str, reported: Option<u64>, ours: u64) {
        if reported.is_some_and(|reported| reported != ours) {
            self.flags.insert(format!("total_mismatch:{check}"));
        }
    }

    /// Notes a count that should be there and is not: what is known is a lower bound.
    pub fn expect(&mut self, field: &str, is_there: bool) {
        if !is_there {
            self.is_partial = true;
            self.flags.insert(format!("missing_count:{field}"));
        }
    }

    /// Keeps a fact, unless the provider only says that it does not apply.
    pub fn fact(&mut self, name: &str, value: Option<String>) {
        if let Some(value) = value.filter(|value| value != "not_available") {
            self.facts.insert(name.to_owned(), value);
        }
    }
}
