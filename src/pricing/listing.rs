//! The book as flat rows: what the `prices` table and `GET /v1/prices` show.

use crate::time::Timestamp;

/// One price, multiplier, alias or exchange rate of a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The layer: a file's name, or `built-in/openai.toml`.
    pub layer: String,
    /// The layer's place; a later one wins.
    pub layer_order: usize,
    /// `price`, `multiplier`, `alias`, `fx`.
    pub row_kind: &'static str,
    /// The row's own id, stable in its layer: a hash of what it prices and from when.
    pub price_id: String,
    /// The tenant, where the row overrides for one.
    pub tenant: Option<String>,
    /// The provider; empty for exchange rates.
    pub provider: String,
    /// The model, pattern, alias or currency.
    pub model: String,
    /// The token class or unit; an alias's canonical name; a multiplier's name.
    pub unit_class: Option<String>,
    /// The amount or factor as published: decimal text.
    pub amount: Option<String>,
    /// What the amount is for: 1,000,000 tokens, one call.
    pub per: Option<u64>,
    /// The currency.
    pub currency: Option<String>,
    /// The service tier; `None` is the standard one.
    pub service_tier: Option<String>,
    /// All further conditions as JSON: context range, region, time of day, facts.
    pub conditions: Option<String>,
    /// From when it is in force.
    pub effective_from: Option<Timestamp>,
    /// Until when.
    pub effective_to: Option<Timestamp>,
    /// Where it was published.
    pub source_url: Option<String>,
    /// When that was read.
    pub fetched_at: Option<Timestamp>,
    /// A remark.
    pub note: Option<String>,
}
