//! Duplicates are found exactly, however little memory there is for identities.

use std::collections::HashMap;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::event::Identity;
use crate::lake::Counted;
use crate::pipeline::seen::{Held, Seen, Verdict};

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

/// The table: each identity's date and content.
#[derive(Default)]
struct Plain(HashMap<[u8; 16], (i32, [u8; 16])>);

impl Plain {
    fn judge(&self, identity: &Identity) -> Verdict {
        match self.0.get(&identity.identity_hash) {
            None => Verdict::New,
            Some((_, content)) if *content == identity.content_hash => Verdict::Duplicate,
            Some(_) => Verdict::Conflict,
        }
    }

    /// What reading some dates says of an identity.
    fn read(&self, dates: &[i32], identity: &Identity) -> Option<Held> {
        let (date, content) = self.0.get(&identity.identity_hash)?;
        dates.contains(date).then_some(Held { content: *content, is_provisional: false })
    }

    fn store(&mut self, date: i32, identity: Identity) {
        self.0.insert(identity.identity_hash, (date, identity.content_hash));
    }
}

/// Asks the table as `CountedIdentities` does, then judges.
fn judge(seen: &mut Seen, table: &Plain, identity: &Identity) -> Verdict {
    let dates = seen.candidates(identity);
    if !dates.is_empty() {
        seen.answer(identity.identity_hash, table.read(&dates, identity));
    }
    let verdict = seen.judge(identity);
    seen.forget_answers();
    verdict
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Three instances, each with its own memory, see the same commits; some rows are replaced.
    #[test]
    fn bounded_memory_judges_as_the_plain_map(
        events in vec((0_u64..400, 0_u64..3, 0_i32..40, 0_usize..12), 1..600),
        bytes_max in prop_oneof![Just(0), 500_usize..40_000, Just(usize::MAX)],
    ) {
        let mut table = Plain::default();
        let mut instances = [bytes_max, bytes_max / 2, usize::MAX].map(Seen::bounded);
        for (event, content, date, way) in events {
            let identity = identity(event, content);
            let expected = table.judge(&identity);
            for seen in &mut instances {
                prop_assert_eq!(judge(seen, &table, &identity), expected);
            }
            let is_replaced = way == 0 && expected == Verdict::Conflict;
            if expected == Verdict::New || is_replaced {
                table.store(date, identity);
            }
            for seen in &mut instances {
                match expected {
                    Verdict::New => seen.insert(date, &row(identity)),
                    Verdict::Conflict if is_replaced => seen.replace(date, &row(identity)),
                    _ => {}
                }
                seen.shrink();
            }
        }
        let [tight, ..] = &instances;
        prop_assert!(tight.bytes() <= bytes_max);
    }
}

#[test]
fn an_identity_of_an_old_date_takes_six_bytes() {
    const COUNT: u64 = 100_000;
    const DATES: u64 = 40;
    let bytes_max = 2 << 20;
    let mut seen = Seen::bounded(bytes_max);
    for event in 0..COUNT {
        let date = i32::try_from(event * DATES / COUNT).expect("a date");
        seen.insert(date, &row(identity(event, event)));
        if event % 1_000 == 0 {
            seen.shrink();
            assert!(seen.bytes() <= bytes_max);
        }
    }
    assert_eq!(seen.count(), 100_000);
    assert_eq!(seen.dates_let_go(), 0, "all of it fits");
    let missed = (0..COUNT).map(|event| identity(event, event)).filter(|identity| {
        seen.judge(identity) == Verdict::New && seen.candidates(identity).is_empty()
    });
    assert_eq!(missed.count(), 0, "none is forgotten");
    let asked_in_vain =
        (COUNT..2 * COUNT).filter(|event| !seen.candidates(&identity(*event, 0)).is_empty());
    assert_eq!(asked_in_vain.count(), 0, "2^48 fingerprints hardly ever meet");

    let mut oldest = Seen::bounded(7 * 100_000);
    (0..100_000).for_each(|event| oldest.insert(0, &row(identity(event, event))));
    oldest.insert(1, &row(identity(u64::MAX, 0)));
    oldest.shrink();
    println!("{} bytes, {} identities", oldest.bytes(), oldest.count());
    assert!(oldest.bytes() <= 7 * 100_000, "{} bytes", oldest.bytes());
}

#[test]
fn a_corrected_row_is_looked_for_where_it_still_is() {
    let mut seen = Seen::bounded(usize::MAX);
    seen.insert(5, &row(identity(1, 1)));
    // The correction names another date; until it is applied, the row stays on its own.
    seen.correct(9, &row(identity(1, 2)));
    assert_eq!(seen.judge(&identity(1, 2)), Verdict::Duplicate);
    assert_eq!(seen.judge(&identity(1, 1)), Verdict::Conflict);
    let mut tight = Seen::bounded(0);
    (1..20).for_each(|event| tight.insert(5, &row(identity(event, 1))));
    tight.shrink();
    tight.correct(9, &row(identity(1, 2)));
    assert_eq!(tight.judge(&identity(1, 2)), Verdict::Duplicate);
    (20..40).for_each(|event| tight.insert(9, &row(identity(event, 1))));
    tight.shrink();
    assert_eq!(tight.candidates(&identity(1, 2)), [5, 9]);
}

#[test]
fn a_provisional_row_is_known_from_the_table_too() {
    let mut seen = Seen::bounded(0);
    for event in 1..20 {
        seen.insert(5, &Counted { identity: identity(event, 1), is_provisional: true });
    }
    seen.shrink();
    let text = r#"{"event_id": "e", "source": "s", "provider": "openai", "model": "gpt-4o",
        "occurred_at": "2026-11-23T12:00:00Z", "usage": {"total_tokens": 1}}"#;
    let event = crate::event::decode_call_event(text.as_bytes()).expect("an event");
    assert_eq!(seen.may_change(&event, &identity(1, 2)), None, "not asked yet");
    let content = hash(1);
    seen.answer(hash(1), Some(Held { content, is_provisional: true }));
    assert_eq!(seen.may_change(&event, &identity(1, 2)), Some("finalization"));
}
