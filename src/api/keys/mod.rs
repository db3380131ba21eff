//! API keys: who may send events, who may ask, and for whom.
//!
//! In: the `control` table's rows, an operator's commands, a request's header. Out: a
//! [`KeyRecord`], which says owner, scopes and tenants. Never stored or logged: a key's text.

mod control;
mod error;
mod record;
mod ring;
mod store;
mod text;

pub use control::ControlKeys;
pub use error::KeyError;
pub use record::{KeyRecord, KeyScope, LOCAL, NewKey};
pub use ring::{KeyRefusal, KeyRing};
pub use store::KeyStore;
pub use text::{KeyHash, KeyText};
