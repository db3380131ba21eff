//! Metering one call: the product in one pure function.
//!
//! In: an event, the price book, the tag rules, what is known of the sender. Out: a [`Charge`] or a
//! [`Rejection`]. No I/O, no clock: a replay decides the same.

use crate::attribution::{Attribution, Rules, Sender};
use crate::event::{CallEvent, Identity, Rejection};
use crate::pricing::{Cost, PriceBook};
use crate::usage::Usage;

/// A metered call: what it used, what that costs and who it is for.
#[derive(Debug, Clone, PartialEq)]
pub struct Charge {
    /// The event as decoded.
    pub event: CallEvent,
    /// Whose identity and which content: what makes it the same event again.
    pub identity: Identity,
    /// The sender's namespace.
    pub namespace: String,
    /// What it used.
    pub usage: Usage,
    /// What that costs.
    pub cost: Cost,
    /// Who it is for.
    pub attribution: Attribution,
}

/// Meters one call.
///
/// # Errors
/// A [`Rejection`] when its counters are impossible; never because a price is missing.
pub fn meter(
    event: CallEvent,
    book: &PriceBook,
    rules: &Rules,
    sender: &Sender,
) -> Result<Charge, Rejection> {
    let usage = crate::usage::normalize(&event).map_err(|why| why.of(&event.event_id))?;
    let attribution = rules.attribute(&event, sender);
    let cost = book.rate(&event, &usage, attribution.who.tenant.as_deref());
    let identity = Identity::of(&event, &sender.namespace);
    let namespace = sender.namespace.clone();
    Ok(Charge { event, identity, namespace, usage, cost, attribution })
}
