//! Effective-dated price books, model-name resolution and exact rating.

mod book;
mod builtin;
mod check;
mod condition;
mod config;
mod cost;
mod coverage;
mod diff;
mod error;
mod explain;
mod explanation;
mod facts;
mod fallback;
mod fraction;
mod hours;
mod import;
mod index;
mod layer;
mod listing;
mod names;
mod price_list;
mod quote;
mod rate;
mod read;
mod report;
mod resolve;
mod row;
mod select;
mod sheet;
#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests;
mod total;
mod validate;
mod vendor;
mod zone;

pub use book::PriceBook;
pub use config::Config;
pub use cost::{Cost, CostStatus};
pub use coverage::{Coverage, Covered, Seen, share};
pub use diff::{Change, Stated};
pub use error::BookError;
pub use explanation::{ExplainedLine, Explanation, PricedAs};
pub use import::{Import, ImportError, import_genai_prices, import_litellm};
pub use layer::{Layer, LayerKind};
pub use listing::Listing;
pub use price_list::ModelPrices;
pub use report::{Remark, Report};
