//! Who a call is for: what the credential asserts, what rules say, what the caller claims.

mod attribute;
mod rules;

pub use attribute::{Attribution, Sender, TenantSource, UNATTRIBUTED};
pub use rules::Rules;
