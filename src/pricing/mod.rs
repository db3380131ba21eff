//! Effective-dated price books, model-name resolution and exact rating.

mod cost;

pub use cost::{Cost, CostStatus};
