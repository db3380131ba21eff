//! When an hour is an anomaly, what is said of it, and that the order of things changes nothing.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Anomaly, Detector, DetectorConfig, HourCost, IncidentState, Scope, Series};
use crate::money::Usd;
use crate::time::Timestamp;

const START: &str = "2026-11-01T00:00:00Z";

fn at(hour: i64) -> Timestamp {
    START.parse::<Timestamp>().expect("a timestamp").plus_seconds(3_600 * hour)
}

fn usd(cents: u32) -> Usd {
    Usd::from_pico(i128::from(cents) * 10_000_000_000)
}

fn scope() -> Scope {
    Scope::Tenant { tenant: "acme".to_owned() }
}

/// One hour, its spend divided between two keys: a quarter for `key-1`, the rest for `key-2`.
fn hour(index: i64, cents: u32) -> HourCost {
    let first = cents / 4;
    let by = |key: &str, cents| (("api_key".to_owned(), key.to_owned()), usd(cents));
    HourCost {
        hour: at(index),
        cost: usd(cents),
        calls: 10,
        by: BTreeMap::from([by("key-1", first), by("key-2", cents - first)]),
    }
}

fn series(cents: &[u32], judge_from: i64) -> Series {
    let hours = (0_i64..).zip(cents).filter(|(_, cents)| **cents > 0);
    Series {
        scope: scope(),
        hours: hours.map(|(index, cents)| hour(index, *cents)).collect(),
        judge_from: at(judge_from),
        until: at(i64::try_from(cents.len()).expect("few hours")),
    }
}

fn detect(cents: &[u32]) -> Vec<Anomaly> {
    Detector::default().detect(&series(cents, 0), &[])
}

/// A day of 5 USD an hour, then these hours.
fn after_a_day(cents: &[u32]) -> Vec<u32> {
    [500; 24].into_iter().chain(cents.iter().copied()).collect()
}

#[test]
fn an_hour_far_over_the_usual_is_an_anomaly() {
    let found = detect(&after_a_day(&[2_500]));
    let [anomaly] = found.as_slice() else { panic!("one anomaly, not {found:?}") };
    assert_eq!((anomaly.revision, anomaly.state), (0, IncidentState::Open));
    assert_eq!((anomaly.window.start, anomaly.window.end), (at(24), at(25)));
    assert_eq!((anomaly.actual, anomaly.expected), (usd(2_500), usd(500)));
    assert_eq!((anomaly.threshold, anomaly.excess()), (usd(1_500), usd(2_000)));
    assert_eq!(anomaly.detector, "p95x3/1");
    assert_eq!(
        anomaly.explanation,
        "acme spent 25.00 USD in 1 hour on 2026-11-02 from 00:00 to 01:00 UTC, 20.00 USD over \
         the 5.00 USD expected at most; 75 % of the excess is api key key-2"
    );
}

#[test]
fn the_rule_has_three_conditions() {
    for (why, hours) in [
        ("at the threshold is not over it", after_a_day(&[1_500])),
        ("23 hours are too little history", [500; 23].into_iter().chain([9_000]).collect()),
        ("9.99 USD above is too little", [1; 24].into_iter().chain([1_000]).collect()),
        ("nothing was spent", vec![0; 48]),
    ] {
        assert_eq!(detect(&hours), [], "{why}");
    }
    assert_eq!(detect(&[1; 24].into_iter().chain([1_001]).collect::<Vec<_>>()).len(), 1);
}

#[test]
fn a_daily_job_is_compared_with_its_runs() {
    let mut hours = vec![0; 3 * 24];
    hours.iter_mut().step_by(24).for_each(|run| *run = 400);
    let with_next = |cents| hours.iter().copied().chain([cents]).collect::<Vec<_>>();
    assert_eq!(detect(&with_next(500)), []);
    assert_eq!(detect(&with_next(1_600)).len(), 1);
}

#[test]
fn the_bar_is_the_nearest_rank_of_the_scopes_own_hours() {
    // 40 hours with spend and as many without: rank 38 of 40, so the two highest do not count.
    let mut hours: Vec<u32> = (0..80).map(|index| if index % 2 == 0 { 100 } else { 0 }).collect();
    hours.splice(0..1, [5_000]);
    hours.splice(2..3, [4_000]);
    hours.splice(4..5, [600]);
    hours.push(1_801);
    let found = detect(&hours);
    let last = found.last().expect("an anomaly");
    assert_eq!((last.expected, last.threshold), (usd(600), usd(1_800)));
}

#[test]
fn one_incident_grows_is_resolved_when_quiet_and_opens_again_within_a_day() {
    let detector = Detector::default();
    let mut hours = after_a_day(&[2_500]);
    let mut known: Vec<Anomaly> = Vec::new();
    let mut seen = Vec::new();
    for next in [2_600, 400, 3_000] {
        for anomaly in detector.detect(&series(&hours, 0), &known) {
            seen.push((anomaly.revision, anomaly.state, anomaly.window.end, anomaly.actual));
            known = vec![anomaly];
        }
        hours.push(next);
    }
    known.extend(detector.detect(&series(&hours, 24), &known));
    let last = known.last().expect("an anomaly");
    seen.push((last.revision, last.state, last.window.end, last.actual));
    assert_eq!(
        seen,
        [
            (0, IncidentState::Open, at(25), usd(2_500)),
            (1, IncidentState::Open, at(26), usd(5_100)),
            (2, IncidentState::Resolved, at(26), usd(5_100)),
            (3, IncidentState::Open, at(28), usd(8_100)),
        ]
    );
    assert!(
        known.iter().all(|anomaly| Some(anomaly.anomaly_id) == known.first().map(|a| a.anomaly_id))
    );
}

#[test]
fn a_day_of_quiet_ends_an_episode() {
    let mut hours = after_a_day(&[2_500]);
    hours.extend([500; 25]);
    hours.push(2_500);
    let found = detect(&hours);
    assert_eq!(found.iter().map(|a| a.window.start).collect::<Vec<_>>(), [at(24), at(50)]);
}

#[test]
fn spend_that_stays_up_becomes_the_new_normal_within_a_week() {
    let mut hours = vec![500; 7 * 24];
    hours.extend(vec![2_500; 14 * 24]);
    let found = detect(&hours);
    let [anomaly] = found.as_slice() else { panic!("one anomaly, not {}", found.len()) };
    assert_eq!(anomaly.state, IncidentState::Resolved);
    assert_eq!((anomaly.window.start, anomaly.window.end), (at(168), at(2 * 168)));
}

#[test]
fn an_open_incident_that_late_data_explains_is_resolved() {
    let detector = Detector::default();
    let hours = after_a_day(&[2_500]);
    let known = detector.detect(&series(&hours, 0), &[]);
    let mut late = hours;
    late.splice(..24, [1_000; 24]);
    let ended = detector.detect(&series(&late, 0), &known);
    assert_eq!(ended.len(), 1);
    assert!(ended.iter().all(|a| a.revision == 1 && a.state == IncidentState::Resolved));
}

#[test]
fn other_scopes_and_detectors_are_not_mixed_up() {
    let detector = Detector::default();
    let hours = series(&after_a_day(&[2_500]), 0);
    let known = detector.detect(&hours, &[]);
    let model = Scope::TenantModel { tenant: "acme".to_owned(), model: "gpt-5".to_owned() };
    let of_model = detector.detect(&Series { scope: model, ..hours.clone() }, &known);
    let config = DetectorConfig { times: 4, ..DetectorConfig::default() };
    let of_other = Detector::new(config).detect(&hours, &known);
    let ids: Vec<_> = [&known, &of_model, &of_other].into_iter().flatten().collect();
    assert!(ids.iter().all(|anomaly| anomaly.revision == 0));
    assert_eq!(
        ids.iter().map(|a| a.anomaly_id).collect::<std::collections::BTreeSet<_>>().len(),
        3
    );
}

#[test]
fn the_message_is_the_one_of_the_schemas() {
    let mut hours = after_a_day(&[]);
    hours.extend([2_500, 2_501]);
    let found = detect(&hours);
    let text = found.first().expect("an anomaly").message();
    let message: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let example = include_str!("../../schemas/anomaly.v1.example.json");
    let example: serde_json::Value = serde_json::from_str(example).expect("an example");
    assert_eq!(message, example);

    let schema = include_str!("../../schemas/anomaly.v1.json");
    let schema: serde_json::Value = serde_json::from_str(schema).expect("a schema");
    let mut required: Vec<_> =
        schema.get("required").and_then(|r| r.as_array()).expect("required fields").clone();
    required.sort_by_key(ToString::to_string);
    let named = |object: &serde_json::Value| {
        let fields = object.as_object().expect("an object").keys().cloned();
        fields.map(serde_json::Value::String).collect::<Vec<_>>()
    };
    assert_eq!(named(&message), required);
    assert_eq!(named(schema.get("properties").expect("properties")), required);

    let avro = apache_avro::Schema::parse_str(include_str!("../../schemas/anomaly.avsc"));
    let apache_avro::Schema::Record(record) = avro.expect("an Avro schema") else {
        panic!("not a record")
    };
    let mut fields: Vec<_> = record.fields.iter().map(|field| field.name.clone().into()).collect();
    fields.sort_by_key(|field: &serde_json::Value| field.to_string());
    assert_eq!(fields, required);
}

#[test]
fn the_configuration_takes_money_as_text_only() {
    let read = |text: &str| toml::from_str::<DetectorConfig>(text);
    let config = read("excess_usd_min = \"2.50\"\ntimes = 4").expect("a configuration");
    assert_eq!((config.excess_usd_min, config.times), (usd(250), 4));
    assert_eq!(read("").expect("defaults"), DetectorConfig::default());
    for wrong in ["excess_usd_min = 2.5", "excess_usd_min = \"ten\"", "factor = 3"] {
        assert!(read(wrong).is_err(), "`{wrong}` must be refused");
    }
}

/// Hours of small spend with pauses, and spikes among them.
fn any_hours() -> impl Strategy<Value = Vec<u32>> {
    let hour = prop_oneof![6 => 300_u32..700, 2 => Just(0), 1 => 3_000_u32..9_000];
    prop::collection::vec(hour, 30..140)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_order_and_the_parts_of_the_input_change_nothing(
        cents in any_hours(), seed in any::<u64>(),
    ) {
        let whole = series(&cents, 0);
        let mut parted = whole.clone();
        parted.hours = whole.hours.iter().flat_map(|hour| {
            let mut half = hour.clone();
            let part = |cost: Usd| Usd::from_pico(cost.pico() / 3);
            half.cost = part(hour.cost);
            half.calls = 4;
            half.by.values_mut().for_each(|cost| *cost = part(*cost));
            let mut rest = hour.clone();
            let less = |a: Usd, b: Usd| a.checked_sub(b).expect("smaller");
            rest.cost = less(hour.cost, half.cost);
            rest.calls = 6;
            for (value, cost) in &mut rest.by {
                *cost = less(*cost, half.by.get(value).copied().unwrap_or_default());
            }
            [half, rest]
        }).collect();
        let key = |hour: &HourCost| {
            (hour.hour.micros() as u64 ^ hour.calls).wrapping_mul(seed | 1).rotate_left(17)
        };
        parted.hours.sort_by_key(key);
        let detector = Detector::default();
        prop_assert_eq!(detector.detect(&whole, &[]), detector.detect(&parted, &[]));
    }

    #[test]
    fn what_is_known_is_not_said_again(cents in any_hours(), judge_from in 0_i64..140) {
        let detector = Detector::default();
        let known = detector.detect(&series(&cents, 0), &[]);
        prop_assert_eq!(detector.detect(&series(&cents, judge_from), &known), []);
    }

    #[test]
    fn hour_by_hour_finds_what_one_look_finds(cents in any_hours()) {
        let detector = Detector::default();
        let mut latest: BTreeMap<uuid::Uuid, Anomaly> = BTreeMap::new();
        for end in 1..=cents.len() {
            let hours = cents.get(..end).expect("a prefix");
            let judge_from = i64::try_from(end).expect("few hours") - 25;
            let known: Vec<Anomaly> = latest.values().cloned().collect();
            for anomaly in detector.detect(&series(hours, judge_from.max(0)), &known) {
                let revision = latest.get(&anomaly.anomaly_id).map(|known| known.revision + 1);
                prop_assert_eq!(anomaly.revision, revision.unwrap_or(0));
                latest.insert(anomaly.anomaly_id, anomaly);
            }
        }
        let mut found: Vec<Anomaly> = latest.into_values().collect();
        found.sort_by_key(|anomaly| anomaly.window.start);
        found.iter_mut().for_each(|anomaly| anomaly.revision = 0);
        prop_assert_eq!(found, detector.detect(&series(&cents, 0), &[]));
    }

    #[test]
    fn excesses_of_a_dimension_sum_to_at_most_the_whole(cents in any_hours()) {
        for anomaly in Detector::default().detect(&series(&cents, 0), &[]) {
            prop_assert!(anomaly.actual > anomaly.threshold);
            prop_assert!(!anomaly.contributors.is_empty());
            let shares: u32 = anomaly.contributors.iter().map(|c| u32::from(c.share_percent)).sum();
            prop_assert!((98..=102).contains(&shares), "{} %", shares);
            let sorted = anomaly.contributors.windows(2).all(|pair| {
                pair.first().map(|a| a.excess) >= pair.last().map(|b| b.excess)
            });
            prop_assert!(sorted);
        }
    }
}
