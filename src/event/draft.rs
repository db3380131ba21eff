//! An event in the making: field by field, from whatever wire format.

use super::field::{FIELDS, Field, place};
use super::value::{Fault, TEXT_BYTES_MAX};
use super::{CallEvent, Json, Rejection, RejectionCode};
use crate::time::Timestamp;

/// An event may be so large as received.
pub const RECEIVED_BYTES_MAX: usize = 1 << 20;
/// An event may be so large as stored: its canonical form.
pub const STORED_BYTES_MAX: usize = 256 << 10;
/// What was this small when received cannot grow beyond [`STORED_BYTES_MAX`]: writing a number in
/// plain notation makes it 14 times as long at most (`1e-64`).
const SURELY_SMALL_BYTES: usize = 16 << 10;

/// Why there is no event, and what of it is fit to be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Undecoded {
    /// Why.
    pub rejection: Rejection,
    /// The allow-listed fields that could be read, when it parsed at all.
    pub part: Option<Json>,
}

impl From<Rejection> for Undecoded {
    /// Nothing of the event could be read.
    fn from(rejection: Rejection) -> Self {
        Self { rejection, part: None }
    }
}

impl From<Rejection> for Box<Undecoded> {
    fn from(rejection: Rejection) -> Self {
        Self::new(rejection.into())
    }
}

/// An event whose fields come one by one.
pub(super) struct Draft {
    event: CallEvent,
    /// A bit for each field that came, null or not.
    seen: u64,
    /// A bit for each field that has a value.
    set: u64,
    /// The first field that could not be read.
    fault: Option<Rejection>,
}

impl Draft {
    /// Nothing has come yet.
    pub fn new() -> Self {
        let event = CallEvent::new("", "", Timestamp::EPOCH, "", "");
        Self { event, seen: 0, set: 0, fault: None }
    }

    /// Takes the value of the field at that place of [`FIELDS`].
    ///
    /// # Errors
    /// [`RejectionCode::DuplicateKey`]. A value that cannot be read is told by [`Draft::finish`]:
    /// the rest of the event is known by then.
    pub fn take(&mut self, place: usize, value: Json) -> Result<(), Rejection> {
        let Some(field) = FIELDS.get(place) else { return Ok(()) };
        let bit = 1 << place;
        if self.seen & bit != 0 {
            let message = format!("`{}` is there twice", field.name);
            return Err(Rejection::new(RejectionCode::DuplicateKey, message));
        }
        self.seen |= bit;
        self.set(field, bit, value);
        Ok(())
    }

    /// Sets the field of that name, over what it was set to before; `None` changes nothing.
    pub fn put(&mut self, name: &str, value: Option<Json>) {
        let place = place(name);
        if let Some((place, value)) = place.zip(value)
            && let Some(field) = FIELDS.get(place)
        {
            self.set(field, 1 << place, value);
        }
    }

    /// Sets the field of that name to a text.
    pub fn put_text(&mut self, name: &str, text: Option<&str>) {
        self.put(name, text.map(|text| Json::Text(text.to_owned())));
    }

    /// Something else is wrong with the event.
    pub fn refuse(&mut self, rejection: Rejection) {
        self.fault.get_or_insert(rejection);
    }

    fn set(&mut self, field: &Field, bit: u64, value: Json) {
        if value == Json::Null {
            return;
        }
        match (field.read)(&mut self.event, value) {
            Ok(()) => self.set |= bit,
            Err(fault) => self.refuse(wrong(field, &fault)),
        }
    }

    /// The event's id, if it has come.
    pub fn event_id(&self) -> Option<&str> {
        Some(self.event.event_id.as_str()).filter(|id| !id.is_empty())
    }

    /// The event, when everything required is there and the whole is not too large.
    pub fn finish(self, received_bytes: usize) -> Result<CallEvent, Box<Undecoded>> {
        let missing = || self.missing().map(|field| missing(field.name));
        let rejection = self.fault.clone().or_else(missing);
        if let Some(rejection) = rejection {
            let part = Some(self.part()).filter(|part| {
                received_bytes <= SURELY_SMALL_BYTES || part.to_string().len() <= STORED_BYTES_MAX
            });
            let rejection = match self.event_id() {
                Some(id) => rejection.of(id),
                None => rejection,
            };
            return Err(Box::new(Undecoded { rejection, part }));
        }
        check_size(&self.event, received_bytes)?;
        Ok(self.event)
    }

    /// The first required field that has no value.
    fn missing(&self) -> Option<&'static Field> {
        let numbered = FIELDS.iter().enumerate();
        let mut unset = numbered.filter(|(place, _)| self.set & (1 << place) == 0);
        unset.find(|(_, field)| field.is_required).map(|(_, field)| field)
    }

    /// The fields that have a value.
    pub fn part(&self) -> Json {
        let numbered = FIELDS.iter().enumerate();
        let set = numbered.filter(|(place, _)| self.set & (1 << place) != 0);
        let fields = set.filter_map(|(_, field)| {
            Some((field.name.to_owned(), (field.write)(&self.event)?.into()))
        });
        Json::Object(fields.collect())
    }
}

/// Refuses an event that is larger than may be stored.
pub(super) fn check_size(event: &CallEvent, received_bytes: usize) -> Result<(), Rejection> {
    if received_bytes <= SURELY_SMALL_BYTES {
        return Ok(());
    }
    let stored = event.canonical().len();
    if stored > STORED_BYTES_MAX {
        return Err(too_large(stored, STORED_BYTES_MAX, "as stored").of(&event.event_id));
    }
    Ok(())
}

fn wrong(field: &Field, fault: &Fault) -> Rejection {
    if fault.code == RejectionCode::MissingField {
        return missing(field.name);
    }
    Rejection::new(fault.code, format!("`{}`: expected {}", field.name, fault.expected))
}

pub(super) fn missing(name: &str) -> Rejection {
    Rejection::new(RejectionCode::MissingField, format!("`{name}` is required"))
}

/// Refuses what is larger than an event may be as received.
pub(super) fn check_received(bytes: &[u8]) -> Result<(), Rejection> {
    if bytes.len() > RECEIVED_BYTES_MAX {
        return Err(too_large(bytes.len(), RECEIVED_BYTES_MAX, "as received"));
    }
    Ok(())
}

fn too_large(bytes: usize, limit: usize, how: &str) -> Rejection {
    let message = format!("{bytes} bytes {how}, expected at most {limit}");
    Rejection::new(RejectionCode::EventTooLarge, message)
}

/// An id short enough to be repeated in a rejection.
pub(super) fn as_event_id(text: &str) -> Option<&str> {
    Some(text).filter(|id| !id.is_empty() && id.len() <= TEXT_BYTES_MAX)
}
