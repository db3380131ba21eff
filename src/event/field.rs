//! The fields of the raw call event, version 1: one table.
//!
//! The allow-list, decoding, the canonical form and the test of `schemas/` follow from it. Adding a
//! field is adding a line here, in [`CallEvent`] and in the schemas.

use std::sync::LazyLock;

use super::shape::{CONTEXT, Shape, USAGE};
use super::value::{self, Fault, Value};
use super::{CallEvent, CallStatus, Json};

/// One field: how it is read into an event and got back.
pub(super) struct Field {
    /// Its name in JSON and Avro.
    pub name: &'static str,
    /// Whether an event without it is none.
    pub is_required: bool,
    /// What is kept of its value.
    pub shape: Shape,
    /// Sets it to a value that is not null.
    pub read: fn(&mut CallEvent, Json) -> Result<(), Fault>,
    /// Its value, unless it is absent.
    pub write: fn(&CallEvent) -> Option<Value<'_>>,
}

macro_rules! required {
    ($name:ident) => {
        Field {
            name: stringify!($name),
            is_required: true,
            shape: Shape::Scalar,
            read: |event, value| value::required(value).map(|text| event.$name = text),
            write: |event| Some(Value::Text(&event.$name)),
        }
    };
}

macro_rules! optional {
    ($name:ident $(in $part:ident)?, $shape:expr, $read:expr, $write:expr) => {
        Field {
            name: stringify!($name),
            is_required: false,
            shape: $shape,
            read: |event, value| $read(value).map(|value| event.$($part.)?$name = Some(value)),
            write: |event| event.$($part.)?$name.as_ref().map($write),
        }
    };
}

macro_rules! text {
    ($name:ident $(in $part:ident)?) => {
        optional!($name $(in $part)?, Shape::Scalar, value::text, |text| Value::Text(text))
    };
}

macro_rules! count {
    ($name:ident) => {
        optional!($name, Shape::Scalar, value::count, |count| Value::Count((*count).into()))
    };
}

macro_rules! truth {
    ($name:ident) => {
        optional!($name, Shape::Scalar, value::truth, |truth| Value::Truth(*truth))
    };
}

/// A truth value that means nothing when false.
macro_rules! mark {
    ($name:ident) => {
        Field {
            name: stringify!($name),
            is_required: false,
            shape: Shape::Scalar,
            read: |event, value| value::truth(value).map(|truth| event.$name = truth),
            write: |event| event.$name.then_some(Value::Truth(true)),
        }
    };
}

/// Every field, sorted by name.
pub(super) static FIELDS: [Field; 44] = [
    text!(api),
    text!(api_key in who),
    count!(attempt),
    text!(business_unit in who),
    optional!(context, CONTEXT, value::context, Value::Block),
    mark!(corrects),
    text!(cost_center in who),
    text!(customer in who),
    text!(deployment),
    text!(environment in who),
    text!(error_type),
    required!(event_id),
    text!(fallback_of),
    text!(feature in who),
    truth!(gateway_cache_hit),
    count!(http_status),
    count!(latency_ms),
    required!(model),
    Field {
        name: "occurred_at",
        is_required: true,
        shape: Shape::Scalar,
        read: |event, value| value::instant(&value).map(|instant| event.occurred_at = instant),
        write: |event| Some(Value::Instant(event.occurred_at)),
    },
    text!(operation),
    text!(operation_id),
    text!(parent_id),
    text!(product in who),
    text!(project in who),
    required!(provider),
    text!(provider_response_id),
    mark!(provisional),
    text!(region),
    optional!(reported_cost, Shape::Scalar, value::amount, |amount| Value::Amount(*amount)),
    text!(reported_cost_source),
    text!(request_model),
    text!(service_tier),
    required!(source),
    Field {
        name: "status",
        is_required: false,
        shape: Shape::Scalar,
        read: |event, value| value::status(&value).map(|status| event.status = status),
        write: |event| {
            let is_plain = event.status == CallStatus::Ok;
            (!is_plain).then(|| Value::Text(event.status.name()))
        },
    },
    text!(step),
    truth!(stream),
    Field {
        name: "tags",
        is_required: false,
        shape: Shape::Labels,
        read: |event, value| value::tags(value).map(|tags| event.tags = tags),
        write: |event| (!event.tags.is_empty()).then_some(Value::Tags(&event.tags)),
    },
    text!(team in who),
    text!(tenant in who),
    text!(trace_id),
    count!(ttft_ms),
    optional!(usage, USAGE, value::usage, Value::Block),
    text!(usage_dialect),
    text!(user_id in who),
];

/// The place of the field of that name in [`FIELDS`].
pub(super) fn place(name: &str) -> Option<usize> {
    let place = usize::from(*PLACES.get(slot(name)?)?);
    (FIELDS.get(place)?.name == name).then_some(place)
}

const SLOTS: usize = 256;

/// The places of the fields by the slots of their names: every key of every event is looked up.
static PLACES: LazyLock<[u8; SLOTS]> = LazyLock::new(|| {
    let mut places = [u8::MAX; SLOTS];
    for (place, field) in (0..).zip(&FIELDS) {
        if let Some(free) = slot(field.name).and_then(|slot| places.get_mut(slot)) {
            *free = place;
        }
    }
    places
});

/// A number below [`SLOTS`] that no two names in [`FIELDS`] share (a test says so).
fn slot(name: &str) -> Option<usize> {
    let bytes = name.as_bytes();
    let ends = usize::from(*bytes.first()?) + usize::from(*bytes.last()?);
    let middle = usize::from(*bytes.get(bytes.len() / 2)?);
    Some((bytes.len() + ends + 10 * middle) % SLOTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found_by_its_name() {
        assert!(FIELDS.iter().map(|field| field.name).is_sorted());
        for (number, field) in FIELDS.iter().enumerate() {
            assert_eq!(place(field.name), Some(number), "`{}` needs a slot of its own", field.name);
        }
        for unknown in ["", "x", "event_id ", "Event_id", "messages"] {
            assert_eq!(place(unknown), None);
        }
    }
}
