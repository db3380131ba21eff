//! What a call costs: the statuses in order, each with the amounts that it knows.

use super::facts;
use super::quote::{Quote, Quoter};
use super::resolve::{Resolved, Resolver};
use super::total::{Total, total};
use super::{Config, Cost, CostStatus};
use crate::event::CallEvent;
use crate::money::{Decimal, Usd};
use crate::pricing::index::Index;
use crate::usage::Usage;

/// What one call is rated with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rater<'a> {
    pub index: &'a Index,
    pub config: &'a Config,
    pub event: &'a CallEvent,
    pub usage: &'a Usage,
    pub tenant: Option<&'a str>,
}

impl<'a> Rater<'a> {
    /// The cost, or by name why there is none.
    pub(super) fn rate(&self) -> Cost {
        let resolved = self.resolve();
        let mut cost = self.decide(resolved.as_ref());
        if let Some(resolved) = resolved {
            cost.priced_model = Some(resolved.sheet.model.to_string());
            cost.resolution = Some(resolved.step.to_owned());
            if resolved.vendor_inferred {
                cost.flags.insert("vendor_inferred");
            }
        }
        cost
    }

    pub(super) fn resolve(&self) -> Option<Resolved<'a>> {
        let Self { index, config, event, usage, tenant } = *self;
        Resolver { index, config, event, usage, tenant }.resolve()
    }

    pub(super) fn quote(&self, resolved: &Resolved<'a>, list_only: bool) -> Quote<'a> {
        let Self { index, event, usage, tenant, .. } = *self;
        Quoter { index, event, usage, tenant, list_only }.quote(resolved)
    }

    fn decide(&self, resolved: Option<&Resolved<'a>>) -> Cost {
        if self.event.gateway_cache_hit == Some(true) {
            return nothing(CostStatus::GatewayCacheHit);
        }
        if facts::is_committed(self.event, &facts::tier_name(self.event, self.usage)) {
            return nothing(CostStatus::CommittedCapacity);
        }
        if let Some(reported) = self.authoritative() {
            return self.reported(reported, resolved);
        }
        if self.usage.requests.is_empty() {
            return Cost::unknown(CostStatus::UnknownUsage);
        }
        match resolved {
            Some(resolved) => self.priced(resolved),
            None => Cost::unknown(CostStatus::Unpriced),
        }
    }

    fn priced(&self, resolved: &Resolved<'a>) -> Cost {
        let quote = self.quote(resolved, false);
        let total = if quote.incomplete { None } else { total(&quote) };
        let Some(total) = total else {
            let mut cost = Cost::unknown(CostStatus::Unpriced);
            cost.flags = quote.flags;
            if !quote.incomplete {
                cost.flags.insert("cost_overflow");
            }
            return cost;
        };
        let free = !quote.lines.is_empty()
            && quote.lines.iter().all(|line| line.rate().is_some_and(|rate| rate.is_zero()));
        let status = if free { CostStatus::Free } else { CostStatus::Priced };
        let mut cost = amounts(status, &total);
        cost.list_cost = self.list_cost(resolved, &total);
        cost.flags = quote.flags;
        if total.rounded {
            cost.flags.insert("cost_rounded");
        }
        cost
    }

    /// The same by list rows only; the cost itself where nobody has other terms.
    fn list_cost(&self, resolved: &Resolved<'a>, own: &Total) -> Option<Usd> {
        if !resolved.sheet.has_terms && !self.index.fx_has_terms {
            return Some(own.cost);
        }
        let quote = self.quote(resolved, true);
        let list = if quote.incomplete { None } else { total(&quote) };
        list.map(|list| list.cost)
    }

    /// The provider's own figure, where it is the authoritative one.
    fn authoritative(&self) -> Option<Decimal> {
        let (reported, _) = self.usage.reported_cost.as_ref()?;
        let wins = |name: &str| self.config.reported_cost_wins.iter().any(|known| known == name);
        let dialect = self.usage.dialect.split('/').next().unwrap_or_default();
        (wins(&self.event.provider) || wins(dialect)).then_some(*reported)
    }

    fn reported(&self, reported: Decimal, resolved: Option<&Resolved<'a>>) -> Cost {
        let computed = resolved.filter(|_| !self.usage.requests.is_empty());
        let computed = computed.map(|resolved| self.priced(resolved));
        let rounded = Usd::rounded(reported);
        let Some((amount, rounded)) = rounded.filter(|(amount, _)| amount.fits_column()) else {
            let mut cost = Cost::unknown(CostStatus::Unpriced);
            cost.flags.insert("cost_overflow");
            return cost;
        };
        let mut cost = Cost::unknown(CostStatus::ProviderReported);
        cost.cost = Some(amount);
        if let Some(computed) = computed {
            cost.list_cost = computed.list_cost;
            cost.computed_cost = computed.cost;
            cost.flags = computed.flags;
            cost.flags.remove("cost_rounded");
        }
        if rounded {
            cost.flags.insert("cost_rounded");
        }
        cost
    }
}

fn amounts(status: CostStatus, total: &Total) -> Cost {
    let [input, cache, output, fees] = total.parts;
    let mut cost = Cost::unknown(status);
    cost.cost = Some(total.cost);
    cost.computed_cost = Some(total.cost);
    cost.input_cost = Some(input);
    cost.cache_cost = Some(cache);
    cost.output_cost = Some(output);
    cost.fees_cost = Some(fees);
    cost
}

/// Nothing was billed for it.
fn nothing(status: CostStatus) -> Cost {
    let total = Total { cost: Usd::ZERO, parts: [Usd::ZERO; 4], rounded: false };
    let mut cost = amounts(status, &total);
    cost.list_cost = Some(Usd::ZERO);
    cost
}
