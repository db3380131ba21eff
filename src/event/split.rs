//! A body of several events becomes its events: one object, a list of them, or one a line.
//!
//! In: the bytes of a request or a file. Out: those of each event. Only where the body cannot be
//! split at all is it refused as a whole; a broken event among good ones is its own fault.

use jiter::{Jiter, Peek};

/// A body that cannot be split into events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an event, a list of events, or one event a line: {why}")]
pub struct SplitError {
    why: String,
}

/// The events of a body, in order. Broken elements come as their bytes, too: decoding them says
/// what is wrong.
///
/// # Errors
/// [`SplitError`] when the body is empty, begins as no event, or is a list that breaks off.
pub fn split_events(body: &[u8]) -> Result<Vec<&[u8]>, SplitError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    match body.first() {
        None => Err(wrong("the body is empty".to_owned())),
        Some(b'[') => split_list(body),
        Some(b'{') => Ok(split_lines(body)),
        Some(_) => Err(wrong("it begins with neither `{` nor `[`".to_owned())),
    }
}

/// The events of a body that is said to have one a line: every line that is not blank.
///
/// # Errors
/// [`SplitError`] when there is none.
pub fn split_ndjson(body: &[u8]) -> Result<Vec<&[u8]>, SplitError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let events = lines(body);
    if events.is_empty() { Err(wrong("the body is empty".to_owned())) } else { Ok(events) }
}

fn lines(body: &[u8]) -> Vec<&[u8]> {
    let lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.filter(|line| !line.is_empty()).collect()
}

fn split_list(body: &[u8]) -> Result<Vec<&[u8]>, SplitError> {
    let mut jiter = Jiter::new(body);
    let at =
        |error: jiter::JiterError| wrong(format!("the list breaks off at byte {}", error.index));
    let mut events = Vec::new();
    let mut next = jiter.next_array().map_err(at)?;
    while let Some(peek) = next {
        let start = jiter.current_index();
        jiter.known_skip(peek).map_err(at)?;
        events.push(jiter.slice_to_current(start).trim_ascii());
        next = jiter.array_step().map_err(at)?;
    }
    jiter.finish().map_err(at)?;
    Ok(events)
}

/// One document over several lines, or one a line. Lines of which none is an event are one broken
/// document, not a rejection each.
fn split_lines(body: &[u8]) -> Vec<&[u8]> {
    if is_object(body) {
        return vec![body];
    }
    let lines = lines(body);
    if lines.iter().any(|line| is_object(line)) { lines } else { vec![body] }
}

fn is_object(text: &[u8]) -> bool {
    let mut jiter = Jiter::new(text);
    text.first() == Some(&b'{') && jiter.known_skip(Peek::Object).is_ok() && jiter.finish().is_ok()
}

fn wrong(why: String) -> SplitError {
    SplitError { why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_lines_stay_one_event_each() {
        let body = b"{\"a\": 1}\r\n\n[1,\n{\xff\n  nothing  \n";
        let lines = split_ndjson(body).expect("lines");
        assert_eq!(lines, [&b"{\"a\": 1}"[..], b"[1,", b"{\xff", b"nothing"]);
        assert!(split_ndjson(b" \n\r\n").is_err());
    }
}
