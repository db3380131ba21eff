//! The canonical form of an event: what is stored of it, and what its content hash covers.

use super::field::FIELDS;
use super::text::{self, Object};
use super::{CallEvent, Who};

/// Room for the canonical form of a usual event.
const USUAL_BYTES: usize = 1_024;

impl CallEvent {
    /// The event as canonical JSON: sorted keys, exact numbers, absent fields left out. Decoding it
    /// gives the event back.
    pub fn canonical(&self) -> String {
        let mut out = String::with_capacity(USUAL_BYTES);
        self.write_canonical(&mut out);
        out
    }

    /// Appends the canonical form.
    pub(super) fn write_canonical(&self, out: &mut String) {
        let mut object = Object::begin(out);
        for field in &FIELDS {
            if let Some(value) = (field.write)(self) {
                text::write_value(object.key(field.name), &value);
            }
        }
        object.end();
    }
}

impl Who {
    /// Appends the fields that are set, as a JSON object.
    pub(super) fn write(&self, out: &mut String) {
        let mut object = Object::begin(out);
        self.present().for_each(|(name, value)| text::write_text(object.key(name), value));
        object.end();
    }
}
