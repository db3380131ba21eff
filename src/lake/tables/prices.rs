//! `prices`: the price book as rows. A version's rows are durable here before any charge names it.

use crate::lake::cell::Cell;
use crate::lake::column::{Column, columns};
use crate::lake::rows::Row;
use crate::time::Timestamp;

/// One row of `prices`: one price, multiplier, alias or exchange rate of one version of the book.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PriceRow {
    /// The version of the whole book: the hash of all its layers.
    pub price_book_version: String,
    /// When this version was first in force here, in microseconds since the epoch.
    pub loaded_at: Option<Timestamp>,
    /// The layer: a file's name, or `built-in`.
    pub layer: String,
    /// The layer's place; a later one wins.
    pub layer_order: i32,
    /// `price`, `multiplier`, `alias`, `fx`.
    pub row_kind: String,
    /// The row's own id, stable in its layer.
    pub price_id: String,
    /// The tenant, where the row overrides for one.
    pub tenant: Option<String>,
    /// The provider.
    pub provider: String,
    /// The model, pattern, alias or currency.
    pub model: String,
    /// The token class or unit.
    pub unit_class: Option<String>,
    /// The amount or factor as published: decimal text.
    pub amount: Option<String>,
    /// What the amount is for: 1,000,000 tokens, one call.
    pub per: Option<i64>,
    /// The currency.
    pub currency: Option<String>,
    /// The service tier.
    pub service_tier: Option<String>,
    /// All further conditions as JSON: context range, region, time of day, dimensions.
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

impl Row for PriceRow {
    fn columns() -> &'static [Column<Self>] {
        COLUMNS
    }

    fn date(&self) -> Option<i32> {
        None
    }
}

columns! {
    pub(super) COLUMNS of PriceRow;

    /// The version of the whole book: the hash of all its layers.
    price_book_version: Text.required() => |row| &row.price_book_version;
    /// When this version was loaded first.
    loaded_at: Time => |row| row.loaded_at;
    /// The layer: a file's name, or `built-in`.
    layer: Text.required() => |row| &row.layer;
    /// The layer's place; a later one wins.
    layer_order: Int.required() => |row| row.layer_order;
    /// `price`, `multiplier`, `alias`, `fx`.
    row_kind: Text.required() => |row| &row.row_kind;
    /// The row's own id, stable in its layer.
    price_id: Text.required() => |row| &row.price_id;
    /// The tenant, where the row overrides for one.
    tenant: Text => |row| &row.tenant;
    /// The provider.
    provider: Text.required() => |row| &row.provider;
    /// The model, pattern, alias or currency that it is for.
    model: Text.required() => |row| &row.model;
    /// The token class or unit that it prices.
    unit_class: Text => |row| &row.unit_class;
    /// The amount or factor as published: decimal text, never a float.
    amount: Text => |row| &row.amount;
    /// How many tokens or units the amount is for.
    per: Long => |row| row.per;
    /// The currency of the amount.
    currency: Text => |row| &row.currency;
    /// The service tier.
    service_tier: Text => |row| &row.service_tier;
    /// Further conditions as JSON: context range, region, time of day, dimensions.
    conditions: Text.many() => |row| &row.conditions;
    /// From when it is in force.
    effective_from: Time => |row| row.effective_from;
    /// Until when; NULL: until a later row.
    effective_to: Time => |row| row.effective_to;
    /// Where it was published.
    source_url: Text.many() => |row| &row.source_url;
    /// When that was read.
    fetched_at: Time => |row| row.fetched_at;
    /// A remark.
    note: Text.many() => |row| &row.note;
}
