//! The events of a schedule: good ones, repetitions, conflicts, corrections, unreadable ones,
//! tombstones.

use std::collections::BTreeSet;

use bytes::Bytes;
use rand::Rng;
use rand::rngs::StdRng;

use crate::time::Timestamp;

const PARTITIONS: usize = 3;
const MESSAGES: usize = 80;

/// What each partition holds; `None` is a tombstone.
pub(super) fn partitions(random: &mut StdRng, now: Timestamp) -> Vec<Vec<Option<Bytes>>> {
    let mut made = 0_u32;
    let mut message = |_| {
        let again = |random: &mut StdRng| random.random_range(0..=made);
        match random.random_range(0..20) {
            0 => None,
            1 => Some(Bytes::from_static(b"{\"event_id\":")),
            2 | 3 => Some(event(again(random), 7, now)),
            4 => Some(event(again(random), 8, now)),
            5 => Some(correction(again(random), random.random_range(9..12), now)),
            _ => {
                made += 1;
                Some(event(made, 7, now))
            }
        }
    };
    (0..PARTITIONS).map(|_| (0..MESSAGES).map(&mut message).collect()).collect()
}

fn event(number: u32, tokens: u32, now: Timestamp) -> Bytes {
    let event = serde_json::json!({
        "event_id": format!("e{number}"), "source": "sim", "occurred_at": now.to_string(),
        "provider": "openai", "api": "chat.completions", "model": "gpt-5-mini",
        "usage": {"prompt_tokens": tokens, "completion_tokens": 3},
    });
    Bytes::from(event.to_string())
}

fn correction(number: u32, tokens: u32, now: Timestamp) -> Bytes {
    let event = event(number, tokens, now);
    let mut event: serde_json::Value = serde_json::from_slice(&event).expect("JSON");
    event["corrects"] = true.into();
    Bytes::from(event.to_string())
}

/// Where the events are, sorted: partition and offset of all that is no tombstone.
pub(super) fn places(partitions: &[Vec<Option<Bytes>>]) -> Vec<(i32, i64)> {
    let mut places = Vec::new();
    for (number, messages) in (0..).zip(partitions) {
        let present = (0..).zip(messages).filter(|(_, message)| message.is_some());
        places.extend(present.map(|(offset, _)| (number, offset)));
    }
    places
}

/// The ids that must be rows, sorted.
pub(super) fn good_ids(partitions: &[Vec<Option<Bytes>>]) -> Vec<String> {
    let messages = partitions.iter().flatten().flatten();
    let events = messages.filter_map(|message| {
        serde_json::from_slice::<serde_json::Value>(message).ok()?["event_id"]
            .as_str()
            .map(str::to_owned)
    });
    events.collect::<BTreeSet<_>>().into_iter().collect()
}
