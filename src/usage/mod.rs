//! A provider's usage block becomes disjoint token classes and units: a file per dialect.

mod block;
mod class;
mod counters;
mod dialect;
mod dialects;
mod flags;
mod modality;
mod normalize;
mod reading;
mod response;
mod status;
mod tier;

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests;

pub use class::{TokenClass, Tokens};
pub use counters::{Counters, Usage};
pub use flags::Flags;
pub use normalize::normalize;
pub use status::UsageStatus;
pub use tier::service_tier;
