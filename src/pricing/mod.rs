//! Effective-dated price books, model-name resolution and exact rating.

mod book;
mod cost;

pub use book::PriceBook;
pub use cost::{Cost, CostStatus};
