//! How a cost comes about, as text that a finance person reads.

use std::fmt::Write;

use super::condition::ContextRange;
use super::facts::tier_name;
use super::fallback::{Found, is_remarkable};
use super::fraction::Fraction;
use super::hours::Hours;
use super::quote::{Line, Part, Quote};
use super::resolve::Resolved;
use super::row::{Origin, Period, Price, PriceRow, STANDARD};
use super::{Cost, PriceBook};
use crate::event::CallEvent;
use crate::money::{Decimal, Usd};
use crate::time::Timestamp;
use crate::usage::Usage;

impl PriceBook {
    /// How the cost of a call comes about: the model, each row with its source, the formula with
    /// every factor, and the sum.
    pub fn explain(&self, event: &CallEvent, usage: &Usage, tenant: Option<&str>) -> String {
        self.explained_text(event, usage, tenant, Some(self.version()))
    }

    /// The same, with the version of the book or without it.
    pub(super) fn explained_text(
        &self,
        event: &CallEvent,
        usage: &Usage,
        tenant: Option<&str>,
        version: Option<&str>,
    ) -> String {
        let rater = self.rater(event, usage, tenant);
        let cost = self.rate(event, usage, tenant);
        let mut text = String::new();
        let book = version.map(|version| format!(", price book {version}")).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{} {}, {}, service tier {}{book}",
            event.provider,
            event.model,
            event.occurred_at,
            tier_name(event, usage),
        );
        match rater.resolve() {
            Some(resolved) => {
                let _ = writeln!(text, "priced as {}", model(&resolved));
                let quote = rater.quote(&resolved, false);
                self.write_lines(&mut text, &quote);
                write_factors(&mut text, &quote);
            }
            None => text.push_str("no rows for this provider and model\n"),
        }
        write_result(&mut text, &cost);
        write_reported(&mut text, event, usage, &cost);
        text
    }

    fn write_lines(&self, text: &mut String, quote: &Quote<'_>) {
        for line in &quote.lines {
            let _ = writeln!(text, "  {:<24} {}", line.name, formula(line));
            let _ = writeln!(text, "  {:<24} {}", "", self.source(line.priced_by()));
            if let Some(remark) = remark(line) {
                let _ = writeln!(text, "  {:<24} {remark}", "");
            }
        }
    }

    /// Where a row stands and what it was read from.
    fn source(&self, row: &PriceRow) -> String {
        let layer = self.layers.get(row.place.layer).map_or("", String::as_str);
        let whose = match (&row.place.tenant, &row.place.deployment) {
            (None, None) => row.place.kind.name().to_owned(),
            (tenant, deployment) => {
                let owners = tenant.iter().chain(deployment).map(AsRef::as_ref);
                format!("{} for {}", row.place.kind.name(), owners.collect::<Vec<_>>().join(", "))
            }
        };
        let (when, condition) = (period(&row.period), condition(row));
        format!("{whose} price{condition}{when} in {layer}{}", published(&row.origin))
    }
}

/// The factors on the tokens, and the sums before the one rounding.
fn write_factors(text: &mut String, quote: &Quote<'_>) {
    if quote.multipliers.is_empty() {
        return;
    }
    for row in &quote.multipliers {
        let tests = row.conditions.when.iter();
        let tests = tests.map(|(name, test)| format!("{name} = {}", test.text()));
        let because = tests.collect::<Vec<_>>().join(" and ");
        let because = if because.is_empty() { because } else { format!(", because {because}") };
        let (factor, origin) = (row.factor, published(&row.origin));
        let _ = writeln!(text, "  {:<24} x {factor} on all tokens{because}{origin}", row.name);
    }
    let lines = quote.lines.iter().filter(|line| line.part != Part::Fees);
    let tokens = lines.map(|line| line.rate()?.times_decimal(line.quantity));
    let tokens = tokens.reduce(|sum, value| sum?.plus(value?)).flatten();
    let factor = quote.multipliers.iter().try_fold(Fraction::ONE, |all, row| all.times(row.rate));
    let product = tokens.zip(factor).and_then(|(tokens, factor)| tokens.times(factor));
    if let (Some(tokens), Some(product)) = (tokens, product) {
        let factors = quote.multipliers.iter().map(|row| format!(" x {}", row.factor));
        let factors: String = factors.collect();
        let _ =
            writeln!(text, "  {:<24} {}{factors} = {}", "all tokens", usd(tokens), usd(product));
    }
}

/// An exact amount, or one cut to the picodollar that says so.
pub(super) fn usd(value: Fraction) -> String {
    match Usd::from_pico_ratio(value.numerator, value.denominator) {
        Some((amount, false)) => format!("{amount} USD"),
        Some((amount, true)) => format!("about {amount} USD"),
        None => "more than can be shown".to_owned(),
    }
}

fn model(resolved: &Resolved<'_>) -> String {
    let sheet = resolved.sheet;
    let vendor =
        if resolved.vendor_inferred { "; the vendor is inferred from the name" } else { "" };
    format!("{} {} (name found by: {}{vendor})", sheet.provider, sheet.model, resolved.step)
}

/// `1117 x 2.5 USD per 1000000 = 0.0027925 USD`.
pub(super) fn formula(line: &Line<'_>) -> String {
    let mut text = line.quantity.to_string();
    let mut currency = "USD";
    if let Price::Literal { amount, per, currency: own } = &line.priced_by().price {
        let _ = write!(text, " x {amount} {own} per {per}");
        currency = own;
    }
    if let (Price::Factor(factor), Some(_)) = (&line.found.row.price, line.found.base) {
        let _ = write!(text, " x {factor}");
    }
    if let Some(fx) = line.fx {
        let _ = write!(text, " x {} USD per {currency}", fx.usd_per_unit);
    }
    match line.rate().and_then(|rate| rate.times_decimal(line.quantity)) {
        Some(value) => format!("{text} = {}", usd(value)),
        None => text,
    }
}

pub(super) fn remark(line: &Line<'_>) -> Option<String> {
    let Found { step, stand_in, .. } = line.found;
    let instead =
        stand_in.filter(|like| line.class.is_some_and(|class| is_remarkable(class, *like)));
    match (step, instead) {
        (None, None) => None,
        (Some(step), None) => Some(format!("no rate for the tier: the {step} rate stands in")),
        (None, Some(like)) => Some(format!("no rate of its own: billed as {like}")),
        (Some(step), Some(like)) => {
            Some(format!("no rate of its own: billed as {like}, at the {step} rate"))
        }
    }
}

/// ` for batch, prompts above 200000 tokens`.
pub(super) fn condition(row: &PriceRow) -> String {
    let tier = (row.tier.as_ref() != STANDARD).then(|| row.tier.to_string());
    let context = row.conditions.context.map(|context| match context {
        ContextRange::Above(limit) => format!("prompts above {limit} tokens"),
        ContextRange::From(limit) => format!("prompts of {limit} tokens and more"),
        ContextRange::Range(above, to) => format!("prompts above {above}, up to {to} tokens"),
    });
    let hours = (!row.conditions.hours.is_empty()).then(|| hours(&row.conditions.hours));
    let facts = row.conditions.when.iter().map(|(fact, test)| format!("{fact} = {}", test.text()));
    let all: Vec<String> = [tier, context, hours].into_iter().flatten().chain(facts).collect();
    if all.is_empty() { String::new() } else { format!(" for {}", all.join(", ")) }
}

/// `16:30-00:30 +08:00`, with the weekdays where they are not all.
fn hours(hours: &[Hours]) -> String {
    let all = hours.iter().map(|hours| {
        let days = hours.weekday_numbers();
        let days = if days.len() == 7 { String::new() } else { format!(" on weekdays {days:?}") };
        format!("{} {}{days}", hours.window_texts().join(", "), hours.zone.text())
    });
    all.collect::<Vec<_>>().join(" and ")
}

/// From when and until when a row is in force.
pub(super) fn period(period: &Period) -> String {
    let from = match (period.undated, period.from) {
        (true, from) => format!(", undated, observed {}", from.date()),
        (false, Timestamp::EPOCH) => String::new(),
        (false, from) => format!(", in force since {}", from.date()),
    };
    period.to.map_or_else(|| from.clone(), |to| format!("{from} until {}", to.date()))
}

/// Where a row was read and when.
pub(super) fn published(origin: &Origin) -> String {
    let url = origin.source_url.as_deref().map(|url| format!(", {url}")).unwrap_or_default();
    let read = origin.fetched_at.map(|at| format!(", read {}", at.date())).unwrap_or_default();
    let note = origin.note.as_deref().map(|note| format!(", {note}")).unwrap_or_default();
    format!("{url}{read}{note}")
}

fn write_result(text: &mut String, cost: &Cost) {
    let flags: Vec<&str> = cost.flags.iter().collect();
    let flags = if flags.is_empty() { String::new() } else { format!(" ({})", flags.join(", ")) };
    let _ = match cost.cost {
        Some(amount) => {
            let rounded = cost.flags.contains("cost_rounded");
            let exact = if rounded { "rounded once, half to even, at 12 digits" } else { "exact" };
            writeln!(text, "= {amount} USD, {exact}, {}{flags}", cost.status.name())
        }
        None => writeln!(text, "= no cost: {}{flags}", cost.status.name()),
    };
    let parts = [
        ("input", cost.input_cost),
        ("cache", cost.cache_cost),
        ("output", cost.output_cost),
        ("fees", cost.fees_cost),
        ("at list price", cost.list_cost),
    ];
    let parts = parts.into_iter().filter_map(|(name, amount)| Some(format!("{name} {}", amount?)));
    let parts: Vec<String> = parts.collect();
    if !parts.is_empty() {
        let _ = writeln!(text, "  {}", parts.join(", "));
    }
}

/// The provider's or the sender's figure beside ours, and how far it is off.
fn write_reported(text: &mut String, event: &CallEvent, usage: &Usage, cost: &Cost) {
    let sender = event.reported_cost_source.as_ref().unwrap_or(&event.source);
    let sent = event.reported_cost.as_ref().map(|amount| (amount, sender));
    let read = usage.reported_cost.as_ref().map(|(amount, source)| (amount, source));
    let Some((reported, source)) = read.or(sent) else { return };
    let ours = cost.computed_cost.map(|ours| ours.to_decimal());
    let negative = |amount: Decimal| Decimal::new(-amount.mantissa(), amount.scale());
    let apart = ours.and_then(|ours| reported.checked_add(negative(ours)));
    let _ = match (ours, apart) {
        (Some(ours), Some(apart)) => {
            writeln!(text, "  {source} reports {reported} USD, {apart} from the computed {ours}")
        }
        _ => writeln!(text, "  {source} reports {reported} USD"),
    };
}
