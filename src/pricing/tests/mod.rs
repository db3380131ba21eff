//! Tests of the room as a whole: worked cases, golden fixtures, properties.

mod builtin;
mod cases;
mod comparing;
mod importing;
mod importing_genai;
mod layers;
mod properties;
mod rating;
mod reading;
mod reference;
mod rules;
mod terms;
mod units;

use super::{Layer, PriceBook};
use crate::event::{CallEvent, decode_call_event};
use crate::money::Decimal;
use crate::usage::{Counters, Flags, TokenClass, Usage, UsageStatus};

/// A book of one list layer.
fn book(text: &str) -> PriceBook {
    PriceBook::from_layers(&[Layer::new("test.toml", text)]).expect("a readable book")
}

/// An event of a JSON text's fields over the required ones.
fn event(fields: &serde_json::Value) -> CallEvent {
    let mut raw = serde_json::json!({
        "event_id": "e", "source": "test", "occurred_at": "2026-11-22T12:00:00Z",
        "provider": "openai", "model": "gpt-4o",
    });
    for (name, value) in fields.as_object().expect("an object") {
        raw[name] = value.clone();
    }
    decode_call_event(raw.to_string().as_bytes()).expect("an event")
}

/// A usage of one request.
fn usage(counts: &serde_json::Value) -> Usage {
    let mut request = Counters::default();
    for (name, count) in counts.as_object().expect("an object") {
        match TokenClass::from_name(name) {
            Some(class) => request.tokens.set(class, count.as_u64().expect("a count")),
            None => {
                let quantity: Decimal = count.to_string().parse().expect("a quantity");
                request.units.insert(name.clone(), quantity);
            }
        }
    }
    Usage {
        requests: vec![request],
        status: UsageStatus::Complete,
        dialect: "test".to_owned(),
        service_tier: None,
        facts: std::collections::BTreeMap::new(),
        reported_cost: None,
        flags: Flags::default(),
    }
}
