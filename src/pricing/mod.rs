//! Effective-dated price books, model-name resolution and exact rating.

mod book;
mod config;
mod cost;
mod error;
mod import;
mod layer;
mod listing;

pub use book::{PriceBook, Remark, Report};
pub use config::Config;
pub use cost::{Cost, CostStatus};
pub use error::BookError;
pub use import::{Import, ImportError, import_litellm};
pub use layer::{Layer, LayerKind};
pub use listing::Listing;
