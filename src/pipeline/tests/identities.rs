//! Duplicates are found exactly, however little memory there is for identities.

use std::collections::HashMap;

use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;

use crate::event::Identity;
use crate::lake::Counted;
use crate::pipeline::identities::{Seen, Verdict};

/// The 16 bytes that a number stands for, spread as hashes are.
fn hash(number: u64) -> [u8; 16] {
    let spread = |seed: u64| number.wrapping_add(seed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed =
        |seed: u64| (spread(seed) ^ (spread(seed) >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let (high, low) = (mixed(1).to_be_bytes(), mixed(2).to_be_bytes());
    std::array::from_fn(|at| if at < 8 { high[at] } else { low[at - 8] })
}

fn identity(event: u64, content: u64) -> Identity {
    Identity { identity_hash: hash(event), content_hash: hash(content) }
}

fn row(identity: Identity) -> Counted {
    Counted { identity, is_provisional: false }
}

/// What is judged right: a map of all of them.
#[derive(Default)]
struct Plain(HashMap<[u8; 16], [u8; 16]>);

impl Plain {
    fn judge(&self, identity: &Identity) -> Verdict {
        match self.0.get(&identity.identity_hash) {
            None => Verdict::New,
            Some(content) if *content == identity.content_hash => Verdict::Duplicate,
            Some(_) => Verdict::Conflict,
        }
    }
}

/// Looks up as `CountedIdentities` does, then judges.
fn judge(seen: &mut Seen, identity: &Identity) -> Verdict {
    let found = seen.search(std::iter::once(identity)).run().expect("a file that can be read");
    seen.answer(found);
    seen.judge(identity)
}

/// Makes room as `CountedIdentities` does.
fn make_room(seen: &mut Seen) {
    seen.tend();
    if seen.is_full() {
        seen.spill();
    }
}

/// Tends until nothing is left to merge.
fn settle(seen: &mut Seen) {
    seen.tend();
    while seen.is_merging() {
        std::thread::yield_now();
        seen.tend();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Instances, each with its own memory, see the same commits; some rows are replaced, and
    /// answers are kept for as long as they hold.
    #[test]
    fn bounded_memory_judges_as_the_plain_map(
        events in vec((0_u64..400, 0_u64..3, 0_usize..12), 1..600),
        bytes_max in prop_oneof![Just(0), 500_usize..80_000],
    ) {
        let folder = TempDir::new().expect("a folder");
        let mut plain = Plain::default();
        let bounded = |bytes| Seen::bounded(bytes, folder.path());
        let mut instances = [bytes_max, bytes_max / 2, usize::MAX].map(bounded);
        for (event, content, way) in events {
            let identity = identity(event, content);
            let expected = plain.judge(&identity);
            for seen in &mut instances {
                prop_assert_eq!(judge(seen, &identity), expected);
            }
            let is_replaced = way == 0 && expected == Verdict::Conflict;
            if expected == Verdict::New || is_replaced {
                plain.0.insert(identity.identity_hash, identity.content_hash);
                instances.iter_mut().for_each(|seen| seen.insert(&row(identity)));
            }
            if way < 3 {
                instances.iter_mut().for_each(Seen::forget_answers);
            }
            instances.iter_mut().for_each(make_room);
        }
        let [tight, ..] = &instances;
        prop_assert!(tight.bytes() <= bytes_max + 16 * tight.runs() * 4);
    }
}

#[test]
fn most_identities_take_no_memory() {
    const COUNT: u64 = 200_000;
    let folder = TempDir::new().expect("a folder");
    let bytes_max = 1 << 18;
    let mut seen = Seen::bounded(bytes_max, folder.path());
    for event in 0..COUNT {
        seen.insert(&row(identity(event, event)));
        make_room(&mut seen);
    }
    settle(&mut seen);
    assert_eq!(seen.count(), 200_000);
    assert!(seen.disk_bytes() > 190_000 * 33, "{} bytes", seen.disk_bytes());
    assert!(seen.bytes() < bytes_max, "{} bytes", seen.bytes());
    assert!(seen.runs() <= 8, "{} runs: merges keep them few", seen.runs());
    let files = std::fs::read_dir(folder.path()).expect("the folder").count();
    assert_eq!(files, 0, "they have no name");

    let all: Vec<Identity> = (0..2 * COUNT).map(|event| identity(event, event)).collect();
    let found = seen.search(all.iter()).run().expect("files that can be read");
    seen.answer(found);
    let is_right = |(event, identity): (u64, &Identity)| {
        let expected = if event < COUNT { Verdict::Duplicate } else { Verdict::New };
        seen.judge(identity) == expected
    };
    assert!((0..).zip(&all).all(is_right), "each is found, and no other");
}

#[test]
fn a_disk_that_takes_nothing_costs_memory_but_no_identity() {
    let folder = TempDir::new().expect("a folder");
    let gone = folder.path().join("gone");
    let mut seen = Seen::bounded(2_000, &gone);
    let insert = |seen: &mut Seen, events: std::ops::Range<u64>| {
        for event in events {
            seen.insert(&row(identity(event, event)));
            make_room(seen);
        }
    };
    insert(&mut seen, 0..500);
    assert_eq!((seen.runs(), seen.count()), (0, 500));
    std::fs::create_dir(&gone).expect("a folder");
    insert(&mut seen, 500..600);
    settle(&mut seen);
    assert!(seen.runs() > 0 && seen.disk_bytes() >= 500 * 33, "{} bytes", seen.disk_bytes());
    // Runs that cannot be merged stay.
    std::fs::remove_dir(&gone).expect("an empty folder");
    insert(&mut seen, 600..1_200);
    settle(&mut seen);
    for event in 0..1_200 {
        assert_eq!(judge(&mut seen, &identity(event, event)), Verdict::Duplicate);
        assert_eq!(judge(&mut seen, &identity(event, event + 1)), Verdict::Conflict, "{event}");
    }
}

#[test]
fn a_corrected_row_is_judged_by_what_it_will_be() {
    let folder = TempDir::new().expect("a folder");
    for bytes_max in [0, usize::MAX] {
        let mut seen = Seen::bounded(bytes_max, folder.path());
        for content in [1, 2] {
            seen.insert(&row(identity(1, content)));
            make_room(&mut seen);
            settle(&mut seen);
            assert_eq!(judge(&mut seen, &identity(1, content)), Verdict::Duplicate);
            assert_eq!(judge(&mut seen, &identity(1, 3)), Verdict::Conflict);
            seen.forget_answers();
        }
        assert_eq!(judge(&mut seen, &identity(1, 1)), Verdict::Conflict);
        assert_eq!(seen.count(), 1);
    }
}

#[test]
fn a_provisional_row_is_known_from_the_disk_too() {
    let folder = TempDir::new().expect("a folder");
    let mut seen = Seen::bounded(0, folder.path());
    seen.insert(&Counted { identity: identity(1, 1), is_provisional: true });
    make_room(&mut seen);
    let text = r#"{"event_id": "e", "source": "s", "provider": "openai", "model": "gpt-4o",
        "occurred_at": "2026-11-23T12:00:00Z", "usage": {"total_tokens": 1}}"#;
    let event = crate::event::decode_call_event(text.as_bytes()).expect("an event");
    assert_eq!(seen.may_change(&event, &identity(1, 2)), None, "not looked up yet");
    assert_eq!(judge(&mut seen, &identity(1, 2)), Verdict::Conflict);
    assert_eq!(seen.may_change(&event, &identity(1, 2)), Some("finalization"));
}
