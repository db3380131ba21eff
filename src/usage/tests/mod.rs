//! Golden fixtures, the worked cases beside the checkout, and properties of normalizing.

mod bodies;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::Value;

use super::{Usage, UsageStatus, normalize};
use crate::event::{CallEvent, Json, Rejection, RejectionCode, decode_call_event};

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// The event of a fixture, decoded as any other; what metering does not read is filled in.
fn decoded(raw: &Value) -> Result<CallEvent, Rejection> {
    let mut raw = raw.clone();
    for (name, value) in [
        ("event_id", "evt-1"),
        ("source", "test"),
        ("occurred_at", "2026-11-22T12:00:00Z"),
        ("model", "some-model"),
    ] {
        if raw[name].is_null() {
            raw[name] = value.into();
        }
    }
    decode_call_event(raw.to_string().as_bytes())
}

fn event(raw: &Value) -> CallEvent {
    decoded(raw).expect("a decodable event")
}

fn tokens(usage: &Usage) -> BTreeMap<String, u64> {
    let tokens = usage.tokens().expect("no overflow");
    tokens.present().map(|(class, count)| (class.name().to_owned(), count)).collect()
}

fn units(usage: &Usage) -> BTreeMap<String, String> {
    let units = usage.units().expect("no overflow");
    units.into_iter().map(|(name, quantity)| (name, quantity.to_string())).collect()
}

/// What an event becomes, in the words of a fixture's `expect`.
fn outcome(raw: &Value) -> Value {
    let usage = match decoded(raw).and_then(|event| normalize(&event)) {
        Ok(usage) => usage,
        Err(rejection) => {
            return serde_json::json!({
                "rejection": rejection.code.name(), "message": rejection.message,
            });
        }
    };
    let mut told = serde_json::json!({
        "status": usage.status.name(),
        "dialect": usage.dialect,
        "tokens": tokens(&usage),
    });
    let mut tell = |name: &str, value: Value, is_empty: bool| {
        if !is_empty {
            told[name] = value;
        }
    };
    let units = units(&usage);
    tell("units", serde_json::json!(units), units.is_empty());
    tell("requests", usage.requests.len().into(), usage.requests.len() < 2);
    tell("service_tier", usage.service_tier.clone().into(), usage.service_tier.is_none());
    tell("facts", serde_json::json!(usage.facts), usage.facts.is_empty());
    let flags: Vec<&str> = usage.flags.iter().collect();
    tell("flags", serde_json::json!(flags), flags.is_empty());
    let cost = usage.reported_cost.map(|(cost, source)| format!("{cost} by {source}"));
    tell("reported_cost", cost.clone().into(), cost.is_none());
    told
}

fn fixtures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let folders = fs::read_dir(root).expect("the folder of fixtures");
    let folders = folders.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir());
    let mut files: Vec<PathBuf> = folders
        .flat_map(|folder| fs::read_dir(folder).expect("a folder of fixtures"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    files
}

#[test]
fn fixtures_become_what_they_expect() {
    let mut wrong = Vec::new();
    let files = fixtures();
    assert!(files.len() > 40, "only {} fixtures were found", files.len());
    for path in files {
        let fixture = parsed(&fs::read_to_string(&path).expect("a readable fixture"));
        assert!(fixture["why"].is_string(), "{}: say why it is there", path.display());
        let told = outcome(&fixture["event"]);
        if told != fixture["expect"] {
            wrong.push(format!("{}:\n  {told}\n  {}", path.display(), fixture["expect"]));
        }
    }
    assert!(wrong.is_empty(), "these differ (told, expected):\n{}", wrong.join("\n"));
}

/// A worked case as the raw event that its folder's README describes.
fn case_event(case: &Value) -> Value {
    let mut raw = serde_json::json!({
        "event_id": case["id"], "provider": case["provider"], "api": case["api"],
        "model": case["model"], "service_tier": case["service_tier"], "usage": case["raw_usage"],
        "context": case["context"],
    });
    let context = &case["context"];
    for (from, to) in [("served_service_tier", "service_tier"), ("response_model", "model")] {
        if context[from].is_string() {
            raw[to] = context[from].clone();
        }
    }
    for (from, to) in [("requested_model", "request_model"), ("deployment", "deployment")] {
        raw[to] = context[from].clone();
    }
    if context["response_model"].is_string() {
        raw["request_model"] = case["model"].clone();
    }
    raw["gateway_cache_hit"] = context["gateway_cache_hit"].clone();
    if context["stream_completed"] == Value::Bool(false) {
        raw["status"] = "aborted".into();
    }
    raw
}

#[test]
fn worked_cases_beside_the_checkout() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/cases/pricing.jsonl");
    let Ok(cases) = fs::read_to_string(&path) else {
        println!("skipped: {} is not there", path.display());
        return;
    };
    let (mut right, mut wrong, mut not_served, mut inferred) = (0, Vec::new(), Vec::new(), 0);
    for case in cases.lines().map(parsed) {
        let raw = case_event(&case);
        let served = super::dialect::declared(&event(&raw)).is_some();
        let told = outcome(&raw);
        let expected_units: BTreeMap<String, String> = case["expected_units"]
            .as_object()
            .map(|units| units.iter().map(|(k, v)| (k.clone(), v.to_string())).collect())
            .unwrap_or_default();
        let is_right = match told["rejection"].as_str() {
            Some(code) => case["expected_status"].as_str() == Some(code),
            None => {
                told["tokens"] == case["expected_tokens"]
                    && told.get("units").cloned().unwrap_or_else(|| serde_json::json!({}))
                        == serde_json::json!(expected_units)
            }
        };
        match (served, is_right) {
            (true, true) => right += 1,
            (true, false) => wrong.push(format!("{} {told}", case["id"])),
            (false, true) => inferred += 1,
            (false, false) => not_served.push(format!("{} {told}", case["id"])),
        }
    }
    println!("{right} right, {inferred} right though inferred, not served yet:");
    not_served.iter().for_each(|case| println!("  {case}"));
    assert!(wrong.is_empty(), "wrong:\n{}", wrong.join("\n"));
    assert!(right > 0);
}

fn chat_usage() -> impl Strategy<Value = Value> {
    let parts = [0_u64..5_000, 0..5_000, 0..5_000, 0..5_000, 0..5_000, 0..5_000];
    parts.prop_map(|[cached, written, rest, reasoning, audio, text]| {
        let (input, output) = (cached + written + rest, reasoning + audio + text);
        serde_json::json!({
            "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
            "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
            "completion_tokens_details": {"reasoning_tokens": reasoning, "audio_tokens": audio},
        })
    })
}

fn of(provider: &str, api: &str, usage: Value) -> CallEvent {
    event(&serde_json::json!({ "provider": provider, "api": api, "usage": usage }))
}

fn metered(event: &CallEvent) -> Usage {
    normalize(event).expect("possible counts")
}

/// Any JSON, with the names of real counters in it as often as not.
fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        any::<i64>().prop_map(|n| Json::Number(n.to_string().parse().expect("a number"))),
        (0_u32..400).prop_map(|n| Json::Number(u64::from(n).into())),
        "[0-9.e-]{0,6}".prop_map(Json::Text),
    ];
    let name = prop_oneof![
        "[a-z]{1,3}",
        prop::sample::select(vec![
            "prompt_tokens",
            "completion_tokens",
            "total_tokens",
            "prompt_tokens_details",
            "cached_tokens",
            "audio_tokens",
            "text_tokens",
            "cached_tokens_details",
            "input_tokens",
            "output_tokens",
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
            "cache_creation",
            "ephemeral_1h_input_tokens",
            "iterations",
            "output_tokens_details",
            "thinking_tokens",
            "promptTokenCount",
            "candidatesTokenCount",
            "promptTokensDetails",
            "cachedContentTokenCount",
            "cacheTokensDetails",
            "tokenCount",
            "usage",
            "message",
            "id",
            "type",
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 48, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::Array),
            prop::collection::btree_map(name.clone(), inner, 0..8)
                .prop_map(|fields| Json::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn classes_sum_to_the_providers_totals(usage in chat_usage()) {
        let metered = metered(&of("openai", "chat.completions", usage.clone()));
        let tokens = metered.tokens().expect("no overflow");
        prop_assert_eq!(tokens.total_input(), usage["prompt_tokens"].as_u64());
        prop_assert_eq!(tokens.total_output(), usage["completion_tokens"].as_u64());
        prop_assert!(metered.flags.is_empty());
    }

    #[test]
    fn a_batch_is_the_sum_of_its_responses_in_any_order(
        usages in prop::collection::vec(chat_usage(), 1..6), turn in 0_usize..6,
    ) {
        let lines: Vec<Value> = usages.iter().enumerate()
            .map(|(index, usage)| serde_json::json!({"id": format!("r{index}"), "usage": usage}))
            .collect();
        let whole = metered(&of("openai", "chat.completions", lines.clone().into()));
        let mut turned = lines;
        let middle = turn % turned.len();
        turned.rotate_left(middle);
        let turned = metered(&of("openai", "chat.completions", turned.into()));
        prop_assert_eq!(whole.tokens(), turned.tokens());
        let mut sum = super::Tokens::default();
        for usage in usages {
            let one = metered(&of("openai", "chat.completions", usage));
            sum.add_all(&one.tokens().expect("no overflow")).expect("no overflow");
        }
        prop_assert_eq!(whole.tokens(), Some(sum));
    }

    #[test]
    fn repeating_a_cumulative_chunk_changes_nothing(usage in chat_usage(), times in 1_usize..5) {
        let once = metered(&of("openai", "chat.completions", usage.clone()));
        let chunk = serde_json::json!({"id": "r", "usage": usage});
        let chunks = vec![chunk; times];
        prop_assert_eq!(once, metered(&of("openai", "chat.completions", chunks.into())));
    }

    #[test]
    fn anything_is_metered_or_refused_without_a_panic(
        usage in any_json(), context in any_json(),
        at in prop::sample::select(vec![
            ("openai", "chat.completions"), ("openai", "responses"), ("anthropic", "messages"),
            ("google", "generateContent"), ("litellm_proxy", "chat.completions"),
            ("openai_compatible", "chat.completions"), ("new", "new"),
        ]),
    ) {
        let mut event = of(at.0, at.1, Value::Null);
        event.usage = Some(usage);
        event.context = Some(context);
        match normalize(&event) {
            Ok(usage) => {
                let is_unknown = usage.status == UsageStatus::UnknownUsage;
                prop_assert_eq!(usage.requests.is_empty(), is_unknown);
                prop_assert!(usage.tokens().and_then(|tokens| tokens.total_input()).is_some());
            }
            Err(rejection) => prop_assert!(matches!(
                rejection.code, RejectionCode::InvalidUsage | RejectionCode::UnsupportedDialect
            )),
        }
    }
}

#[test]
fn tiers_have_one_spelling() {
    for (spelled, tier) in [
        ("auto", "standard"),
        ("default", "standard"),
        ("ON_DEMAND", "standard"),
        ("ON_DEMAND_PRIORITY", "priority"),
        ("PROVISIONED_THROUGHPUT", "provisioned"),
        ("Flex", "flex"),
        ("scale", "scale"),
    ] {
        assert_eq!(super::service_tier(spelled), tier);
    }
}

#[test]
fn an_event_of_a_thousand_fields_is_refused_and_not_compared_pair_by_pair() {
    let fields = (0..1_000).map(|index| (format!("f{index}"), Json::Number(1_u64.into())));
    let mut event = of("openai", "chat.completions", Value::Null);
    event.usage = Some(Json::Object(fields.collect()));
    let rejection = normalize(&event).expect_err("too many fields");
    assert_eq!(rejection.code, RejectionCode::InvalidUsage);
}

#[test]
fn every_dialect_is_named_after_a_provider_and_an_api_it_serves() {
    for name in [
        "openai/chat.completions",
        "openai/responses",
        "anthropic/messages",
        "google/generateContent",
        "litellm_proxy/chat.completions",
    ] {
        let (provider, api) = name.split_once('/').expect("two parts");
        let declared = super::dialect::declared(&of(provider, api, Value::Null));
        assert_eq!(declared.map(|dialect| dialect.name), Some(name));
    }
}
