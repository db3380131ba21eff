//! A row of `calls`: a [`Charge`] and where it was read, summed up for the columns.

use crate::charge::Charge;
use crate::event::{Lineage, Rejection, RejectionCode};
use crate::lake::cell::Cell;
use crate::lake::column::{Column, DECIMAL_SCALE};
use crate::lake::rows::Row;
use crate::money::{Decimal, Usd};
use crate::time::Timestamp;
use crate::usage::{Flags, TokenClass, Tokens};

/// The largest quantity that a Decimal(28,12) holds, in 1e-12.
const QUANTITY_MAX: u128 = 10_u128.pow(28) - 1;

/// One row of `calls`.
#[derive(Debug, Clone, PartialEq)]
pub struct CallRow {
    /// The metered call.
    pub charge: Charge,
    /// Where it was read.
    pub lineage: Lineage,
    /// When it was read.
    pub ingested_at: Timestamp,
    /// Tokens of all requests; `None` when the usage is unknown.
    pub(super) tokens: Option<Tokens>,
    /// Units of all requests, in 1e-12.
    pub(super) units: Vec<(String, i128)>,
    /// The reported cost to the picodollar, and who reported it.
    pub(super) reported: Option<(Usd, Option<String>)>,
    /// All remarks.
    pub(super) flags: Flags,
}

impl CallRow {
    /// Sums up what the columns hold.
    ///
    /// # Errors
    /// [`RejectionCode::InvalidUsage`] when a count or an amount is beyond what its column holds:
    /// nothing is clamped.
    pub fn new(
        charge: Charge,
        lineage: Lineage,
        ingested_at: Timestamp,
    ) -> Result<Self, Rejection> {
        let too_large = |what: &str| {
            let message = format!("`{what}` is beyond what its column holds");
            Rejection::new(RejectionCode::InvalidUsage, message).of(&charge.event.event_id)
        };
        let tokens = sum_tokens(&charge).ok_or_else(|| too_large("tokens"))?;
        let units = sum_units(&charge).ok_or_else(|| too_large("units"))?;
        if amounts(&charge).into_iter().flatten().any(|amount| !amount.fits_column()) {
            return Err(too_large("cost_usd"));
        }
        let mut flags = charge.usage.flags.clone();
        flags.extend(&charge.cost.flags);
        let reported = reported_cost(&charge, &mut flags);
        Ok(Self { charge, lineage, ingested_at, tokens, units, reported, flags })
    }

    /// The tokens of one class; NULL when the usage is unknown.
    pub(super) fn class(&self, class: TokenClass) -> Cell<'_> {
        self.tokens.as_ref().map(|tokens| tokens.count(class)).into()
    }

    /// The classes that have no column of their own.
    pub(super) fn other_tokens(&self) -> Cell<'_> {
        let Some(tokens) = &self.tokens else { return Cell::Null };
        let rare = tokens.present().filter(|(class, _)| !COLUMN_CLASSES.contains(class));
        let counts = rare.map(|(class, count)| {
            // The totals fit 63 bits, and citations are the only class outside them.
            (class.name(), i64::try_from(count).unwrap_or(i64::MAX))
        });
        Cell::LongMap(counts.collect())
    }

    /// The quantities that are not tokens.
    pub(super) fn units(&self) -> Cell<'_> {
        Cell::DecimalMap(self.units.iter().map(|(name, units)| (name.as_str(), *units)).collect())
    }
}

/// The classes of ordinary traffic: a column each.
const COLUMN_CLASSES: [TokenClass; 11] = [
    TokenClass::InputText,
    TokenClass::CacheReadText,
    TokenClass::CacheWrite,
    TokenClass::CacheWrite5m,
    TokenClass::CacheWrite1h,
    TokenClass::InputAudio,
    TokenClass::InputImage,
    TokenClass::OutputText,
    TokenClass::OutputReasoning,
    TokenClass::OutputAudio,
    TokenClass::OutputImage,
];

/// `Some(None)`: unknown usage; `None`: more than a column holds.
fn sum_tokens(charge: &Charge) -> Option<Option<Tokens>> {
    if charge.usage.requests.is_empty() {
        return Some(None);
    }
    let tokens = charge.usage.tokens()?;
    let citations = tokens.count(TokenClass::Citation);
    let totals = [tokens.total_input()?, tokens.total_output()?, citations];
    totals.iter().all(|total| i64::try_from(*total).is_ok()).then_some(Some(tokens))
}

fn sum_units(charge: &Charge) -> Option<Vec<(String, i128)>> {
    let scaled = |(name, quantity): (String, Decimal)| {
        let (scaled, _) = quantity.rounded(DECIMAL_SCALE)?;
        (scaled.unsigned_abs() <= QUANTITY_MAX).then_some((name, scaled))
    };
    charge.usage.units()?.into_iter().map(scaled).collect()
}

fn amounts(charge: &Charge) -> [Option<Usd>; 7] {
    let cost = &charge.cost;
    let parts = [cost.input_cost, cost.cache_cost, cost.output_cost, cost.fees_cost];
    let [input, cache, output, fees] = parts;
    [cost.cost, cost.list_cost, cost.computed_cost, input, cache, output, fees]
}

/// What the provider or the sender says it cost. It is never summed as truth, so an amount finer
/// than the column is rounded and one that is too large left out, with a remark each.
fn reported_cost(charge: &Charge, flags: &mut Flags) -> Option<(Usd, Option<String>)> {
    let event = &charge.event;
    let (amount, source) = match (&charge.usage.reported_cost, event.reported_cost) {
        (Some((amount, source)), _) => (*amount, Some(source.clone())),
        (None, Some(amount)) => (amount, event.reported_cost_source.clone()),
        (None, None) => return None,
    };
    let rounded = Usd::rounded(amount).filter(|(amount, _)| amount.fits_column());
    let Some((amount, inexact)) = rounded else {
        flags.insert("reported_cost_out_of_range");
        return None;
    };
    if inexact {
        flags.insert("reported_cost_rounded");
    }
    Some((amount, source))
}

impl Row for CallRow {
    fn columns() -> &'static [Column<Self>] {
        super::columns::COLUMNS
    }

    fn date(&self) -> Option<i32> {
        Some(self.charge.event.occurred_at.days())
    }
}
