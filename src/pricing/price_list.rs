//! The prices of one model at one instant, as text.

use std::fmt::Write;

use super::PriceBook;
use super::explain::{condition, period, published};
use super::resolve::Resolver;
use super::row::{Price, PriceRow};
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
        let event = CallEvent::new("", "", at, provider, model);
        let usage = nothing_used();
        let resolver = Resolver {
            index: &self.index,
            config: &self.config,
            event: &event,
            usage: &usage,
            tenant: None,
        };
        let Some(resolved) = resolver.resolve() else {
            return format!("no rows for {provider} {model} at {at}\n");
        };
        let sheet = resolved.sheet;
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{} {} at {at} (name found by: {}), price book {}",
            sheet.provider,
            sheet.model,
            resolved.step,
            self.version()
        );
        let rows: Vec<&PriceRow> = sheet.rows().map(AsRef::as_ref).collect();
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
        }
        for row in &sheet.multipliers {
            let _ = writeln!(text, "  {:<24} x {} on all tokens", row.name, row.factor);
        }
        text
    }
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
