//! A provider's usage block becomes disjoint token classes and units: a file per dialect.

mod class;
mod counters;
mod flags;
mod normalize;
mod status;

pub use class::{TokenClass, Tokens};
pub use counters::{Counters, Usage};
pub use flags::Flags;
pub use normalize::normalize;
pub use status::UsageStatus;
