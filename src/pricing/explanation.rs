//! How a cost comes about, in parts: for programs, as `explain.rs` has it for people.

use super::explain::{formula, remark, usd};
use super::facts::tier_name;
use super::listing::{listed_factor, listed_fx, listed_price};
use super::quote::Line;
use super::{Cost, Listing, PriceBook};
use crate::event::CallEvent;
use crate::usage::Usage;

/// How the cost of a call comes about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The service tier that served it.
    pub service_tier: String,
    /// The model whose rows price it; `None`: there are none.
    pub priced_as: Option<PricedAs>,
    /// What it is charged for.
    pub lines: Vec<ExplainedLine>,
    /// Factors on all tokens.
    pub factors: Vec<Listing>,
    /// What it comes to.
    pub cost: Cost,
    /// The same as text, without the version of the book.
    pub text: String,
}

/// The model whose rows price a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedAs {
    /// Whose model it is.
    pub provider: String,
    /// Its name.
    pub model: String,
    /// The step by which the name was found.
    pub resolution: &'static str,
    /// Whether the vendor is known by the name alone.
    pub is_vendor_inferred: bool,
}

/// One quantity times one rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedLine {
    /// The token class or unit.
    pub name: String,
    /// How many.
    pub quantity: String,
    /// Quantity, rate, factors and product.
    pub formula: String,
    /// The product before factors on all tokens.
    pub product: Option<String>,
    /// What is remarkable about the rate.
    pub remark: Option<String>,
    /// The row.
    pub row: Listing,
    /// The row whose amount it is a factor on.
    pub base: Option<Listing>,
    /// The exchange rate.
    pub exchange: Option<Listing>,
}

impl PriceBook {
    /// How the cost of a call comes about, in parts: the model, each row, the formula, every
    /// factor.
    pub fn explanation(
        &self,
        event: &CallEvent,
        usage: &Usage,
        tenant: Option<&str>,
    ) -> Explanation {
        let rater = self.rater(event, usage, tenant);
        let resolved = rater.resolve();
        let quote = resolved.as_ref().map(|resolved| rater.quote(resolved, false));
        let quote = quote.unwrap_or_default();
        let factors = quote.multipliers.iter().map(|row| listed_factor(row, &self.layers));
        Explanation {
            service_tier: tier_name(event, usage).to_string(),
            priced_as: resolved.map(|resolved| PricedAs {
                provider: resolved.sheet.provider.to_string(),
                model: resolved.sheet.model.to_string(),
                resolution: resolved.step,
                is_vendor_inferred: resolved.vendor_inferred,
            }),
            lines: quote.lines.iter().map(|line| self.explained(line)).collect(),
            factors: factors.collect(),
            cost: self.rate(event, usage, tenant),
            text: self.explained_text(event, usage, tenant, None),
        }
    }

    fn explained(&self, line: &Line<'_>) -> ExplainedLine {
        let product = line.rate().and_then(|rate| rate.times_decimal(line.quantity));
        ExplainedLine {
            name: line.name.to_owned(),
            quantity: line.quantity.to_string(),
            formula: formula(line),
            product: product.map(usd),
            remark: remark(line),
            row: listed_price(line.found.row, &self.layers),
            base: line.found.base.map(|base| listed_price(base, &self.layers)),
            exchange: line.fx.map(|fx| listed_fx(fx, &self.layers)),
        }
    }
}
