//! What a dialect read out of one response's usage block.

use std::collections::BTreeMap;

use super::{Counters, Flags, Tokens};
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
    pub fn add_units(&mut self, units: impl IntoIterator<Item = (&'static str, u64)>) {
        let units = units.into_iter().filter(|(_, quantity)| *quantity > 0);
        if let Some(request) = self.requests.last_mut() {
            request.units.extend(units.map(|(name, quantity)| (name.to_owned(), quantity.into())));
        }
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
