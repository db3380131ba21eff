//! What a call used, after normalizing.

use std::collections::BTreeMap;

use super::{Flags, Tokens, UsageStatus};
use crate::money::Decimal;

/// What one priced request used. A call is usually one; compaction makes several, each of which
/// meets the context tiers on its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counters {
    /// Tokens by class.
    pub tokens: Tokens,
    /// Everything that is not tokens, by flat unit name: `web_search_call`, `audio_seconds`.
    pub units: BTreeMap<String, Decimal>,
}

/// What a call used, in disjoint classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// One entry per priced request; empty when the usage is unknown.
    pub requests: Vec<Counters>,
    /// How much is known.
    pub status: UsageStatus,
    /// The dialect whose rules were applied: `openai/chat.completions`; empty when nothing had to
    /// be read and the event names none.
    pub dialect: String,
    /// The service tier that the response itself names, and `batch` for batch APIs; it wins over
    /// the event's. One of `standard`, `batch`, `flex`, `priority`, `provisioned`, or what the
    /// provider says in lower case (`super::service_tier` spells the event's the same way).
    pub service_tier: Option<String>,
    /// Further facts of the usage block that prices depend on, values in lower case:
    /// `speed` (`fast`, `standard`), `inference_geo` (`us`, `global`), `traffic_type`.
    pub facts: BTreeMap<String, String>,
    /// What the provider itself says it cost, in USD, and who says it.
    pub reported_cost: Option<(Decimal, String)>,
    /// What was noticed.
    pub flags: Flags,
}

impl Usage {
    /// The tokens of all requests; `None` on overflow.
    pub fn tokens(&self) -> Option<Tokens> {
        let mut sum = Tokens::default();
        self.requests.iter().try_for_each(|request| sum.add_all(&request.tokens))?;
        Some(sum)
    }

    /// The units of all requests; `None` on overflow.
    pub fn units(&self) -> Option<BTreeMap<String, Decimal>> {
        let mut sum: BTreeMap<String, Decimal> = BTreeMap::new();
        for (name, quantity) in self.requests.iter().flat_map(|request| &request.units) {
            let slot = sum.entry(name.clone()).or_default();
            *slot = slot.checked_add(*quantity)?;
        }
        Some(sum)
    }
}
