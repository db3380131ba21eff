//! Prices and explanations as they are answered.

use serde::Serialize;
use utoipa::ToSchema;

use crate::money::Usd;
use crate::pricing::{Cost, ExplainedLine, Explanation, Listing, ModelPrices, PricedAs};
use crate::revision::ExplainedCall;
use crate::time::Timestamp;

/// A price, a factor, an alias or an exchange rate of the book.
#[derive(Debug, Serialize, ToSchema)]
pub struct PriceRowView {
    /// `price`, `multiplier`, `alias` or `fx`.
    kind: &'static str,
    /// Its id, stable in its layer.
    price_id: String,
    /// The provider; empty for exchange rates.
    provider: String,
    /// The model, pattern, alias or currency.
    model: String,
    /// The token class or unit; an alias's canonical name; a factor's name.
    unit_class: Option<String>,
    /// The service tier; null is the standard one.
    service_tier: Option<String>,
    /// The amount or factor as published: a decimal.
    amount: Option<String>,
    /// What the amount is for: 1000000 tokens, one call.
    per: Option<u64>,
    /// The amount's currency.
    currency: Option<String>,
    /// Further conditions, as JSON: context range, region, time of day, facts.
    conditions: Option<String>,
    /// The tenant, where it is one's own.
    tenant: Option<String>,
    /// The file that has it.
    layer: String,
    /// From when it is in force.
    effective_from: Option<String>,
    /// Until when.
    effective_to: Option<String>,
    /// Where it was published.
    source_url: Option<String>,
    /// When that was read.
    fetched_at: Option<String>,
    /// A remark.
    note: Option<String>,
}

impl PriceRowView {
    /// A row, as it is answered.
    pub(super) fn of(row: &Listing) -> Self {
        let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
        Self {
            kind: row.row_kind,
            price_id: row.price_id.clone(),
            provider: row.provider.clone(),
            model: row.model.clone(),
            unit_class: row.unit_class.clone(),
            service_tier: row.service_tier.clone(),
            amount: row.amount.clone(),
            per: row.per,
            currency: row.currency.clone(),
            conditions: row.conditions.clone(),
            tenant: row.tenant.clone(),
            layer: shown(&row.layer).to_owned(),
            effective_from: time(row.effective_from),
            effective_to: time(row.effective_to),
            source_url: row.source_url.clone(),
            fetched_at: time(row.fetched_at),
            note: row.note.clone(),
        }
    }
}

/// A layer as it is answered: a book file's name without its folder.
fn shown(layer: &str) -> &str {
    if layer.starts_with("built-in/") {
        return layer;
    }
    layer.rsplit(['/', '\\']).next().unwrap_or(layer)
}

/// A text with its layers as they are answered.
fn told<'a>(text: &str, rows: impl Iterator<Item = &'a Listing>) -> String {
    rows.fold(text.to_owned(), |text, row| text.replace(&row.layer, shown(&row.layer)))
}

/// Rows of the book in force.
#[derive(Debug, Serialize, ToSchema)]
pub struct PricesView {
    /// The time at which they hold.
    pub(super) at: String,
    /// The rows.
    pub(super) rows: Vec<PriceRowView>,
    /// Whether there is another page.
    pub(super) has_more: bool,
    /// The next page.
    pub(super) page_token: Option<String>,
}

/// How costs come about: of calls, or of a model.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplainedView {
    /// The calls that have the event id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) calls: Option<Vec<CallView>>,
    /// The model's prices, of each provider that has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) models: Option<Vec<ModelPricesView>>,
}

/// A stored call, and how the book in force prices it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CallView {
    /// Whose event ids these are.
    namespace: String,
    /// Which sender's.
    source: String,
    /// Its id.
    event_id: String,
    /// When it was made.
    occurred_at: String,
    /// Who it is for.
    tenant: Option<String>,
    /// Who answered.
    provider: String,
    /// The model, as the response named it.
    model: String,
    /// What was stored.
    stored: StoredView,
    /// Whether the book in force makes that of it.
    agrees: bool,
    /// How it comes about.
    explanation: Option<ExplanationView>,
    /// Why that cannot be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// What was stored of a call's cost.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoredView {
    /// The cost; null where there is none.
    cost_usd: Option<String>,
    /// How it came about, or why there is none.
    cost_status: String,
    /// The version of the book that it was priced by.
    price_book_version: Option<String>,
}

impl CallView {
    /// A call, as it is answered.
    pub(super) fn of(call: &ExplainedCall) -> Self {
        Self {
            namespace: call.namespace.clone(),
            source: call.source.clone(),
            event_id: call.event_id.clone(),
            occurred_at: call.occurred_at.clone(),
            tenant: call.tenant.clone(),
            provider: call.provider.clone(),
            model: call.model.clone(),
            stored: StoredView {
                cost_usd: amount(call.stored_cost),
                cost_status: call.stored_status.clone(),
                price_book_version: call.stored_version.clone(),
            },
            agrees: call.agrees(),
            explanation: call.explanation.as_ref().ok().map(ExplanationView::of),
            why: call.explanation.as_ref().err().cloned(),
        }
    }
}

fn amount(usd: Option<Usd>) -> Option<String> {
    usd.map(|usd| usd.to_string())
}

/// How the book in force prices a call.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplanationView {
    /// The service tier that served it.
    service_tier: String,
    /// The model whose rows price it; null: there are none.
    priced_as: Option<PricedAsView>,
    /// What it is charged for.
    lines: Vec<LineView>,
    /// Factors on all tokens.
    factors: Vec<PriceRowView>,
    /// The sum, rounded once at 12 digits.
    cost_usd: Option<String>,
    /// How it came about, or why there is none.
    cost_status: &'static str,
    /// The part for input that is not cached.
    input_cost_usd: Option<String>,
    /// The part for cache reads and writes.
    cache_cost_usd: Option<String>,
    /// The part for output.
    output_cost_usd: Option<String>,
    /// The part for tools, searches and requests.
    fees_cost_usd: Option<String>,
    /// What it would cost at list price.
    list_cost_usd: Option<String>,
    /// What price rows make of it, also where the provider's own figure counts.
    computed_cost_usd: Option<String>,
    /// Remarks: fallbacks, rounding.
    flags: Vec<String>,
    /// All of it for a person.
    text: String,
}

/// The model whose rows price a call.
#[derive(Debug, Serialize, ToSchema)]
pub struct PricedAsView {
    /// Whose model it is.
    provider: String,
    /// Its name.
    model: String,
    /// The step by which the name was found.
    resolution: &'static str,
    /// Whether the vendor is known by the name alone.
    is_vendor_inferred: bool,
}

/// One quantity times one rate.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineView {
    /// The token class or unit.
    name: String,
    /// How many: a decimal.
    quantity: String,
    /// Quantity, rate, factors and product.
    formula: String,
    /// The product, before factors on all tokens.
    product: Option<String>,
    /// What is remarkable about the rate.
    remark: Option<String>,
    /// The row.
    row: PriceRowView,
    /// The row whose amount it is a factor on.
    base: Option<PriceRowView>,
    /// The exchange rate.
    exchange: Option<PriceRowView>,
}

impl ExplanationView {
    fn of(it: &Explanation) -> Self {
        let Explanation { service_tier, priced_as, lines, factors, cost, text } = it;
        let Cost { input_cost, cache_cost, output_cost, fees_cost, .. } = cost;
        let bases = lines.iter().filter_map(|line| line.base.as_ref());
        let rows = lines.iter().map(|line| &line.row).chain(bases).chain(factors);
        Self {
            service_tier: service_tier.clone(),
            priced_as: priced_as.as_ref().map(PricedAsView::of),
            lines: lines.iter().map(LineView::of).collect(),
            factors: factors.iter().map(PriceRowView::of).collect(),
            cost_usd: amount(cost.cost),
            cost_status: cost.status.name(),
            input_cost_usd: amount(*input_cost),
            cache_cost_usd: amount(*cache_cost),
            output_cost_usd: amount(*output_cost),
            fees_cost_usd: amount(*fees_cost),
            list_cost_usd: amount(cost.list_cost),
            computed_cost_usd: amount(cost.computed_cost),
            flags: cost.flags.iter().map(str::to_owned).collect(),
            text: told(text, rows),
        }
    }
}

impl PricedAsView {
    fn of(it: &PricedAs) -> Self {
        Self {
            provider: it.provider.clone(),
            model: it.model.clone(),
            resolution: it.resolution,
            is_vendor_inferred: it.is_vendor_inferred,
        }
    }
}

impl LineView {
    fn of(line: &ExplainedLine) -> Self {
        Self {
            name: line.name.clone(),
            quantity: line.quantity.clone(),
            formula: line.formula.clone(),
            product: line.product.clone(),
            remark: line.remark.clone(),
            row: PriceRowView::of(&line.row),
            base: line.base.as_ref().map(PriceRowView::of),
            exchange: line.exchange.as_ref().map(PriceRowView::of),
        }
    }
}

/// The prices of a model that count at a time.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelPricesView {
    /// Whose model it is.
    provider: String,
    /// Its name.
    model: String,
    /// The step by which the name was found.
    resolution: &'static str,
    /// The time.
    at: String,
    /// Prices, then factors on all tokens.
    rows: Vec<PriceRowView>,
    /// All of it for a person.
    text: String,
}

impl ModelPricesView {
    /// A model's prices, as they are answered.
    pub(super) fn of(prices: &ModelPrices, at: Timestamp) -> Self {
        Self {
            provider: prices.provider.clone(),
            model: prices.model.clone(),
            resolution: prices.resolution,
            at: at.to_string(),
            rows: prices.rows.iter().map(PriceRowView::of).collect(),
            text: told(&prices.text, prices.rows.iter()),
        }
    }
}
