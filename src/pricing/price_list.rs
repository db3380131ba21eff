//! The prices of one model at one instant, as text.

use std::fmt::Write;

use super::explain::{condition, period, published};
use super::listing::{listed_factor, listed_price};
use super::resolve::Resolver;
use super::row::{Place, Price, PriceRow};
use super::{Listing, PriceBook};
use crate::event::CallEvent;
use crate::time::Timestamp;
use crate::usage::{Flags, Usage, UsageStatus};

impl PriceBook {
    /// The providers that have a model of exactly this name, sorted.
    pub fn providers_of(&self, model: &str) -> Vec<String> {
        let sheets = self.index.sheets().filter(|sheet| sheet.model.as_ref() == model);
        let mut providers: Vec<String> = sheets.map(|sheet| sheet.provider.to_string()).collect();
        providers.sort_unstable();
        providers
    }

    /// Every price of a model that counts at an instant, with its source: list prices, contracts
    /// and overrides. Those that a better one replaces are not shown.
    pub fn explain_model(&self, provider: &str, model: &str, at: Timestamp) -> String {
        match self.model_prices(provider, model, at, &|_| true) {
            Some(prices) => {
                let (head, rows) = prices.text.split_once('\n').unwrap_or((&prices.text, ""));
                format!("{head}, price book {}\n{rows}", self.version())
            }
            None => format!("no rows for {provider} {model} at {at}\n"),
        }
    }

    /// The same in parts, of the rows that are seen: `sees` is asked with the tenant that a row is
    /// for. `None`: there are none.
    pub fn model_prices(
        &self,
        provider: &str,
        model: &str,
        at: Timestamp,
        sees: &dyn Fn(Option<&str>) -> bool,
    ) -> Option<ModelPrices> {
        let event = CallEvent::new("", "", at, provider, model);
        let usage = nothing_used();
        let resolver = Resolver {
            index: &self.index,
            config: &self.config,
            event: &event,
            usage: &usage,
            tenant: None,
        };
        // What only some know of is found by its own name, and shown to those who see its rows.
        let named = self.index.provider(provider).and_then(|it| it.exact(model));
        let (sheet, step) = match (named, resolver.resolve()) {
            (_, Some(resolved)) => (resolved.sheet, resolved.step),
            (Some(sheet), None) => (sheet, "exact"),
            (None, None) => return None,
        };
        // Writing to a String cannot fail.
        let mut text =
            format!("{} {} at {at} (name found by: {})\n", sheet.provider, sheet.model, step);
        let is_seen = |place: &Place| sees(place.tenant.as_deref());
        let rows = sheet.rows().map(AsRef::as_ref).filter(|row: &&PriceRow| is_seen(&row.place));
        let rows: Vec<&PriceRow> = rows.collect();
        let mut listed = Vec::new();
        for row in rows.iter().filter(|row| counts(row, &rows, at)) {
            let layer = self.layers.get(row.place.layer).map_or("", String::as_str);
            let _ = writeln!(
                text,
                "  {:<24} {}{}{} in {layer}{}",
                row.item.name(),
                amount(&row.price),
                condition(row),
                period(&row.period),
                published(&row.origin),
            );
            listed.push(listed_price(row, &self.layers));
        }
        for row in sheet.multipliers.iter().filter(|row| is_seen(&row.place)) {
            let _ = writeln!(text, "  {:<24} x {} on all tokens", row.name, row.factor);
            listed.push(listed_factor(row, &self.layers));
        }
        let (provider, model) = (sheet.provider.to_string(), sheet.model.to_string());
        (!rows.is_empty()).then_some(ModelPrices {
            provider,
            model,
            resolution: step,
            rows: listed,
            text,
        })
    }
}

/// The prices of a model that count at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelPrices {
    /// Whose model it is.
    pub provider: String,
    /// Its name.
    pub model: String,
    /// The step by which the name was found.
    pub resolution: &'static str,
    /// Its rows: prices, then factors on all tokens.
    pub rows: Vec<Listing>,
    /// The same as text.
    pub text: String,
}

fn amount(price: &Price) -> String {
    match price {
        Price::Literal { amount, per, currency } => format!("{amount} {currency} per {per}"),
        Price::Factor(factor) => format!("x {factor} of the standard rate"),
    }
}

/// Whether a row counts at an instant: no row of its key that comes before it does.
fn counts(row: &PriceRow, rows: &[&PriceRow], at: Timestamp) -> bool {
    let in_force = |row: &PriceRow| row.period.contains(at);
    let rivals = || rows.iter().filter(|other| other.rivals(row));
    if in_force(row) {
        let first = rivals().find(|other| in_force(other));
        return first.is_some_and(|first| std::ptr::eq(*first, row));
    }
    row.period.is_assumed(at) && !rivals().any(|other| in_force(other))
}

fn nothing_used() -> Usage {
    Usage {
        requests: Vec::new(),
        status: UsageStatus::UnknownUsage,
        dialect: String::new(),
        service_tier: None,
        facts: std::collections::BTreeMap::new(),
        reported_cost: None,
        flags: Flags::default(),
    }
}
