//! The raw call event, version 1, from JSON.
//!
//! In: bytes. Out: a [`CallEvent`] of allow-listed fields, or a [`Rejection`] that names the field
//! and what was expected. Never: an unlisted field, a default in place of something unreadable.

use super::draft::{Draft, Undecoded, as_event_id, check_received};
use super::field::{FIELDS, place};
use super::reader::Reader;
use super::shape::Shape;
use super::{CallEvent, Rejection};

/// Decodes one raw call event.
///
/// # Errors
/// A [`Rejection`]; it names the event whenever its id could be read.
pub fn decode_call_event(bytes: &[u8]) -> Result<CallEvent, Rejection> {
    read_call_event(bytes).map_err(|undecoded| undecoded.rejection)
}

/// Decodes one raw call event, or says what of it could be read.
///
/// # Errors
/// [`Undecoded`], with the same rejection as from [`decode_call_event`].
pub fn read_call_event(bytes: &[u8]) -> Result<CallEvent, Box<Undecoded>> {
    match read_draft(bytes) {
        Ok(draft) => draft.finish(bytes.len()),
        Err(rejection) => {
            let id = find_id(bytes, &["event_id"]);
            let rejection = id.iter().fold(rejection, |rejection, id| rejection.of(id));
            Err(rejection.into())
        }
    }
}

fn read_draft(bytes: &[u8]) -> Result<Draft, Rejection> {
    check_received(bytes)?;
    let mut reader = Reader::new(bytes)?;
    let draft = read_event(&mut reader)?;
    reader.finish()?;
    Ok(draft)
}

/// Reads the event that stands next.
pub(super) fn read_event(reader: &mut Reader<'_>) -> Result<Draft, Rejection> {
    let mut draft = Draft::new();
    let peek = reader.peek_object("an event is an object")?;
    reader.each_field(peek, place, |reader, place, peek| {
        let shape = FIELDS.get(place).map(|field| field.shape);
        let Some(shape) = shape else { return Ok(()) };
        let value = reader.listed(peek, &shape)?;
        draft.take(place, value)
    })?;
    Ok(draft)
}

/// The id of an event that is broken elsewhere: the first of these fields that can be read.
pub(super) fn find_id(bytes: &[u8], names: &[&'static str]) -> Option<String> {
    let readable = match std::str::from_utf8(bytes) {
        Ok(_) => bytes,
        Err(error) => bytes.get(..error.valid_up_to())?,
    };
    let mut reader = Reader::new(readable).ok()?;
    let peek = reader.peek_object("an event is an object").ok()?;
    let mut found: Option<String> = None;
    let named = |key: &str| names.contains(&key).then_some(());
    // An error only ends the search: the event is known to be broken.
    let _ended = reader.each_field(peek, named, |reader, (), peek| {
        let value = reader.listed(peek, &Shape::Scalar)?;
        let id = value.as_text().and_then(as_event_id).map(str::to_owned);
        found = found.take().or(id);
        Ok(())
    });
    found
}
