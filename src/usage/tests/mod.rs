//! Golden fixtures, the worked cases beside the checkout, and properties of normalizing.

mod bodies;
mod properties;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::Value;

use super::{Usage, normalize};
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
    let (mut right, mut wrong) = (0, Vec::new());
    for case in cases.lines().map(parsed) {
        let told = outcome(&case_event(&case));
        let expected_units: BTreeMap<String, String> = case["expected_units"]
            .as_object()
            .map(|units| units.iter().map(|(k, v)| (k.clone(), v.to_string())).collect())
            .unwrap_or_default();
        let expected = case["expected_status"].as_str().expect("a status");
        let is_right = match told["rejection"].as_str() {
            Some(code) => expected == code,
            None => {
                let status = told["status"].as_str().expect("a status");
                let units = told.get("units").cloned().unwrap_or_else(|| serde_json::json!({}));
                ["partial", "unknown_usage"].iter().all(|of| (expected == *of) == (status == *of))
                    && told["tokens"] == case["expected_tokens"]
                    && units == serde_json::json!(expected_units)
            }
        };
        if is_right {
            right += 1;
        } else {
            wrong.push(format!("{} {told}, not {expected}", case["id"]));
        }
    }
    println!("{right} cases are right in classes, units and usage status");
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

proptest! {
    #[test]
    fn classes_sum_to_the_providers_totals(usage in chat_usage()) {
        let metered = metered(&of("openai", "chat.completions", usage.clone()));
        let tokens = metered.tokens().expect("no overflow");
        prop_assert_eq!(tokens.total_input(), usage["prompt_tokens"].as_u64());
        prop_assert_eq!(tokens.total_output(), usage["completion_tokens"].as_u64());
        prop_assert!(metered.flags.is_empty());
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
    for dialect in super::dialects::DIALECTS {
        let (provider, api) = dialect.name.split_once('/').expect("two parts");
        assert!(dialect.providers.contains(&provider), "{}", dialect.name);
        let api = if dialect.apis.contains(&api) { api } else { dialect.apis[0] };
        let declared = super::dialect::declared(&of(provider, api, Value::Null));
        assert_eq!(declared.map(|dialect| dialect.name), Some(dialect.name));
    }
}

#[test]
fn every_dialect_is_shown_by_a_fixture() {
    let shown: Vec<String> = fixtures()
        .iter()
        .map(|path| parsed(&fs::read_to_string(path).expect("a readable fixture")))
        .filter_map(|fixture| fixture["expect"]["dialect"].as_str().map(str::to_owned))
        .collect();
    for dialect in super::dialects::DIALECTS {
        let is_shown = shown.iter().any(|name| name == dialect.name);
        assert!(is_shown, "no fixture shows {}", dialect.name);
    }
}
