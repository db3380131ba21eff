//! Who a call is for: what the credential asserts, what rules say, what the caller claims.

mod attribute;
mod config;
mod error;
mod field;
mod rules;
mod senders;

#[cfg(test)]
mod tests;

pub use attribute::{Attribution, Sender, TenantSource, UNATTRIBUTED, WhoSource};
pub use config::{RulesConfig, SenderRule, TagRule};
pub use error::RulesError;
pub use rules::Rules;
