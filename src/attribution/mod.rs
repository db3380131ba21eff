//! Who a call is for: what the credential asserts, what rules say, what the caller claims.

mod attribute;

pub use attribute::{Attribution, Sender, TenantSource};
