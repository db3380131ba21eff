//! Front doors: bodies become events, events become durable envelopes, then 202.
//!
//! In: a body of one wire format. Out: envelopes on the event log and a [`Receipt`]. Decoding comes
//! first and keeps allow-listed fields only, so that no prompt is ever written, here or anywhere.

mod accept;
mod delivery;
pub(super) mod doors;
pub(super) mod receipt;

pub use doors::{events, litellm};
