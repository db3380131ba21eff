//! Which of the models that were called have prices, and which of their classes have none.
//!
//! In: what was called and how its cost came about. Out: shares by calls and by tokens.

use std::collections::BTreeMap;

use super::{Cost, CostStatus};
use crate::event::CallEvent;
use crate::usage::Usage;

/// Counts calls by provider and model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    models: BTreeMap<(String, String), Covered>,
    total: Covered,
}

/// What was seen of one model, or of all.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Covered {
    /// How many calls.
    pub calls: u64,
    /// How many tokens, input and output.
    pub tokens: u64,
    /// How many of the calls have no cost because a price is missing.
    pub unpriced_calls: u64,
    /// How many tokens these had.
    pub unpriced_tokens: u64,
    /// Classes and units without a rate (`no_rate:x`) or with another's (`rate_fallback:x`), by
    /// the calls that had them.
    pub missing: BTreeMap<String, u64>,
}

/// Calls of one kind, counted elsewhere: in the `calls` table.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Who served them.
    pub provider: String,
    /// The model as answered.
    pub model: String,
    /// How many calls.
    pub calls: u64,
    /// Their tokens.
    pub tokens: u64,
    /// Whether they have no cost because a price is missing.
    pub unpriced: bool,
    /// Their flags.
    pub flags: Vec<String>,
}

impl Coverage {
    /// Counts one call as it was priced.
    pub fn add_call(&mut self, event: &CallEvent, usage: &Usage, cost: &Cost) {
        let of_request = usage.requests.iter().map(|request| {
            request.tokens.present().map(|(_, tokens)| tokens).fold(0, u64::saturating_add)
        });
        self.add(Seen {
            provider: event.provider.clone(),
            model: event.model.clone(),
            calls: 1,
            tokens: of_request.fold(0, u64::saturating_add),
            unpriced: cost.status == CostStatus::Unpriced,
            flags: cost.flags.iter().map(str::to_owned).collect(),
        });
    }

    /// Counts calls of one kind.
    pub fn add(&mut self, seen: Seen) {
        self.total.add(&seen);
        self.models.entry((seen.provider.clone(), seen.model.clone())).or_default().add(&seen);
    }

    /// All calls together.
    pub const fn total(&self) -> &Covered {
        &self.total
    }

    /// Every model by provider and name, the one with the most unpriced calls first.
    pub fn models(&self) -> Vec<(&str, &str, &Covered)> {
        let models = self.models.iter();
        let mut models: Vec<_> =
            models.map(|((provider, model), it)| (provider.as_str(), model.as_str(), it)).collect();
        models.sort_by_key(|(_, _, covered)| std::cmp::Reverse(covered.unpriced_calls));
        models
    }
}

impl Covered {
    fn add(&mut self, seen: &Seen) {
        self.calls = self.calls.saturating_add(seen.calls);
        self.tokens = self.tokens.saturating_add(seen.tokens);
        if seen.unpriced {
            self.unpriced_calls = self.unpriced_calls.saturating_add(seen.calls);
            self.unpriced_tokens = self.unpriced_tokens.saturating_add(seen.tokens);
        }
        for flag in &seen.flags {
            if flag.starts_with("no_rate:") || flag.starts_with("rate_fallback:") {
                let count = self.missing.entry(flag.clone()).or_default();
                *count = count.saturating_add(seen.calls);
            }
        }
    }

    /// The unpriced share of the calls, in per cent with two digits.
    pub fn unpriced_share_of_calls(&self) -> String {
        share(self.unpriced_calls, self.calls)
    }

    /// The unpriced share of the tokens, in per cent with two digits.
    pub fn unpriced_share_of_tokens(&self) -> String {
        share(self.unpriced_tokens, self.tokens)
    }
}

/// A part of a whole in per cent with two digits, rounded down; 0.00 of nothing.
pub fn share(part: u64, whole: u64) -> String {
    let hundredths = (u128::from(part) * 10_000).checked_div(u128::from(whole)).unwrap_or(0);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
