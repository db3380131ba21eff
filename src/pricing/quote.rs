//! Which row prices each part of a call: the formula before it is summed.

use super::LayerKind;
use super::facts::{self, Facts};
use super::fallback::{self, Found};
use super::fraction::Fraction;
use super::index::Index;
use super::resolve::Resolved;
use super::row::{FxRow, MultiplierRow, PriceRow};
use super::select::{Query, terms_rank};
use crate::event::CallEvent;
use crate::money::Decimal;
use crate::usage::{Counters, Flags, TokenClass, Usage};

/// Which part of the cost a line belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Input,
    Cache,
    Output,
    Fees,
}

/// One quantity times one rate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'b> {
    pub part: Part,
    /// The class, `None` for units.
    pub class: Option<TokenClass>,
    pub name: &'b str,
    pub quantity: Decimal,
    pub found: Found<'b>,
    pub fx: Option<&'b FxRow>,
}

impl Line<'_> {
    /// Picodollars per piece, before multipliers.
    pub(super) fn rate(&self) -> Option<Fraction> {
        let rate = match self.found.base {
            Some(base) => self.found.row.rate.times(base.rate)?,
            None => self.found.row.rate,
        };
        self.fx.map_or(Some(rate), |fx| rate.times(fx.rate))
    }

    /// The row whose amount it is: a factor row's base.
    pub(super) fn priced_by(&self) -> &PriceRow {
        self.found.base.unwrap_or(self.found.row)
    }
}

/// Everything that a call is charged for.
#[derive(Debug, Clone, Default)]
pub(super) struct Quote<'b> {
    pub lines: Vec<Line<'b>>,
    /// Factors on all token lines.
    pub multipliers: Vec<&'b MultiplierRow>,
    pub flags: Flags,
    /// Whether a quantity has no rate, or a rate no exchange rate.
    pub incomplete: bool,
}

/// What a quote is made for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quoter<'b> {
    pub index: &'b Index,
    pub event: &'b CallEvent,
    pub usage: &'b Usage,
    pub tenant: Option<&'b str>,
    pub list_only: bool,
}

impl<'b> Quoter<'b> {
    /// The rows and rates for everything that the call used.
    pub(super) fn quote(&self, resolved: &Resolved<'b>) -> Quote<'b> {
        let mut quote = Quote { lines: Vec::with_capacity(8), ..Quote::default() };
        let facts = Facts { event: self.event, usage: self.usage };
        let tier = facts::tier_name(self.event, self.usage);
        let mut query = Query {
            at: self.event.occurred_at,
            tenant: self.tenant,
            deployment: self.event.deployment.as_deref(),
            tier: &tier,
            context: None,
            prompt_tokens: 0,
            list_only: self.list_only,
            facts: &facts,
        };
        for request in &self.usage.requests {
            query.prompt_tokens = request.tokens.total_input().unwrap_or(u64::MAX);
            query.context = resolved.sheet.context_start(&query);
            self.add_request(&mut quote, resolved, request, &query);
        }
        quote.multipliers = multipliers(resolved, &query);
        quote
    }

    fn add_request(
        &self,
        quote: &mut Quote<'b>,
        resolved: &Resolved<'b>,
        request: &'b Counters,
        query: &Query<'_>,
    ) {
        for (class, tokens) in request.tokens.present() {
            let Some(found) = fallback::find_class(resolved.sheet, class, query) else {
                quote.flags.insert(format!("no_rate:{class}"));
                quote.incomplete = true;
                continue;
            };
            note_fallback(&mut quote.flags, class, &found);
            let line = (part_of(class), Some(class), class.name(), Decimal::from(tokens));
            self.add_line(quote, query, line, found);
        }
        for (name, quantity) in request.units.iter().filter(|(_, quantity)| !quantity.is_zero()) {
            match fallback::find_unit(resolved.sheet, name, query) {
                Some(found) => {
                    self.add_line(quote, query, (Part::Fees, None, name, *quantity), found)
                }
                None => {
                    quote.flags.insert(format!("no_rate:{name}"));
                    quote.incomplete = true;
                }
            }
        }
        if !resolved.sheet.prices_requests || request.units.contains_key("requests") {
            return;
        }
        if let Some(found) = fallback::find_unit(resolved.sheet, "requests", query) {
            self.add_line(quote, query, (Part::Fees, None, "requests", Decimal::ONE), found);
        }
    }

    fn add_line(
        &self,
        quote: &mut Quote<'b>,
        query: &Query<'_>,
        (part, class, name, quantity): (Part, Option<TokenClass>, &'b str, Decimal),
        found: Found<'b>,
    ) {
        if found.undated {
            quote.flags.insert("undated_price");
        }
        if found.row.float_residue || found.base.is_some_and(|base| base.float_residue) {
            quote.flags.insert("float_residue");
        }
        let mut line = Line { part, class, name, quantity, found, fx: None };
        if let Some(currency) = line.priced_by().foreign_currency() {
            line.fx = exchange_rate(&self.index.fx, currency, query);
            if line.fx.is_none() {
                quote.flags.insert("no_fx_rate");
                quote.incomplete = true;
            }
        }
        quote.lines.push(line);
    }
}

/// Of each name the one in force; names multiply each other.
fn multipliers<'b>(resolved: &Resolved<'b>, query: &Query<'_>) -> Vec<&'b MultiplierRow> {
    let mut chosen: Vec<&'b MultiplierRow> = Vec::new();
    for row in &resolved.sheet.multipliers {
        let in_force = row.period.contains(query.at) || row.period.is_assumed(query.at);
        if !in_force || !query.concerns(&row.place, &row.conditions) {
            continue;
        }
        match chosen.iter_mut().find(|known| known.name == row.name) {
            Some(known) if weight(row) > weight(known) => *known = row,
            Some(_) => {}
            None => chosen.push(row),
        }
    }
    chosen
}

fn weight(row: &MultiplierRow) -> impl Ord + use<> {
    (terms_rank(&row.place), row.pattern.weight(), row.period.from, row.place.layer)
}

/// The rate at the event's time: the tenant's own before the contract's before everybody's.
fn exchange_rate<'b>(rates: &'b [FxRow], currency: &str, query: &Query<'_>) -> Option<&'b FxRow> {
    let in_force = rates.iter().filter(|row| {
        row.currency.as_ref() == currency
            && row.period.contains(query.at)
            && (row.place.kind == LayerKind::List || query.has_terms(&row.place))
    });
    in_force.max_by_key(|row| (terms_rank(&row.place), row.period.from, row.place.layer))
}

fn note_fallback(flags: &mut Flags, class: TokenClass, found: &Found<'_>) {
    if let Some(step) = found.step {
        flags.insert(format!("rate_fallback:{step}"));
    }
    if let Some(like) = found.stand_in.filter(|like| fallback::is_remarkable(class, *like)) {
        flags.insert(format!("rate_fallback:{like}"));
    }
}

fn part_of(class: TokenClass) -> Part {
    if class.is_cache() {
        Part::Cache
    } else if class.is_output() {
        Part::Output
    } else {
        Part::Input
    }
}
