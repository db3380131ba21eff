//! The worked cases beside the checkout, priced with LiteLLM's published map when a path to it is
//! in `TOKENMETER_LITELLM_MAP`. Skipped loudly otherwise: neither is part of the repository.

use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::Value;

use super::{event, usage};
use crate::pricing::{Cost, Layer, PriceBook, import_litellm};
use crate::usage::normalize;

const OBSERVED: &str = "2026-11-01T00:00:00Z";
/// Cases that bring a layer of their own.
const OWN: [&str; 2] = ["vllm-null-details-zero-price", "vllm-continuous-usage-stats"];

fn shared(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/cases").join(name)
}

fn imported(name: &str, bytes: &[u8]) -> Layer {
    let import = import_litellm(bytes, OBSERVED.parse().expect("a time")).expect("a map");
    Layer::new(name, import.text)
}

struct Books {
    published: PriceBook,
    with_own: PriceBook,
}

fn books() -> Option<(Vec<Value>, Books)> {
    let cases = fs::read_to_string(shared("pricing.jsonl")).ok();
    let map = env::var_os("TOKENMETER_LITELLM_MAP").and_then(|path| fs::read(path).ok());
    let (Some(cases), Some(map)) = (cases, map) else {
        println!("SKIPPED: needs ../shared/cases and TOKENMETER_LITELLM_MAP=path of the map");
        return None;
    };
    let map = imported("litellm.toml", &map);
    let own = imported("own.toml", &fs::read(shared("own_prices.json")).expect("own prices"));
    let published = PriceBook::load(std::slice::from_ref(&map)).expect("a book");
    let with_own = PriceBook::load(&[map, own]).expect("a book");
    let cases = cases.lines().map(|line| serde_json::from_str(line).expect("a case")).collect();
    Some((cases, Books { published, with_own }))
}

/// A worked case as the raw event that its folder's README describes.
fn raw_event(case: &Value) -> Value {
    let context = &case["context"];
    let mut raw = serde_json::json!({
        "event_id": case["id"], "provider": case["provider"], "api": case["api"],
        "model": case["model"], "usage": case["raw_usage"], "context": context,
    });
    for (from, to) in [
        (&case["at"], "occurred_at"),
        (&case["service_tier"], "service_tier"),
        (&context["served_service_tier"], "service_tier"),
        (&context["requested_model"], "request_model"),
        (&context["deployment"], "deployment"),
        (&context["gateway_cache_hit"], "gateway_cache_hit"),
        (&context["provider_reported_cost_usd"], "reported_cost"),
    ] {
        if !from.is_null() {
            raw[to] = from.clone();
        }
    }
    if context["response_model"].is_string() {
        raw["request_model"] = case["model"].clone();
        raw["model"] = context["response_model"].clone();
    }
    raw
}

/// What is wrong with a cost, in words.
fn complaint(case: &Value, cost: &Cost) -> Option<String> {
    let expected = case["expected_status"].as_str().expect("a status");
    let status = cost.status.name();
    let free = ["free", "committed_capacity", "gateway_cache_hit"];
    let right_status = status == expected || (expected == "free" && free.contains(&status));
    let amount = cost.cost.map(|cost| cost.to_string());
    if right_status && amount.as_deref() == case["expected_cost_usd"].as_str() {
        return None;
    }
    let flags: Vec<&str> = cost.flags.iter().collect();
    let step = cost.resolution.as_deref().unwrap_or_default();
    let id = case["id"].as_str().unwrap_or_default();
    Some(format!(
        "{id}: {status} {} ({step} {flags:?}), expected {expected} {}",
        amount.unwrap_or_default(),
        case["expected_cost_usd"]
    ))
}

/// Rates the classes that a case expects, whether or not its dialect is read yet.
#[test]
fn worked_cases_cost_what_they_should_by_their_expected_classes() {
    let Some((cases, books)) = books() else { return };
    let mut wrong = Vec::new();
    for case in cases.iter().filter(|case| case["expected_status"] != "invalid_usage") {
        let mut counts = case["expected_tokens"].clone();
        for (name, count) in case["expected_units"].as_object().into_iter().flatten() {
            counts[name] = count.clone();
        }
        let event = event(&raw_event(case));
        let mut usage = usage(&counts);
        if let Ok(read) = normalize(&event) {
            (usage.facts, usage.service_tier) = (read.facts, read.service_tier);
            usage.reported_cost = read.reported_cost;
            if read.requests.len() > 1 && !read.requests.is_empty() {
                usage.requests = read.requests;
            }
        }
        if counts.as_object().is_some_and(serde_json::Map::is_empty) {
            usage.requests.clear();
        }
        let own = OWN.contains(&case["id"].as_str().unwrap_or_default());
        let book = if own { &books.with_own } else { &books.published };
        wrong.extend(complaint(case, &book.rate(&event, &usage, None)));
    }
    println!("{} of {} cases differ", wrong.len(), cases.len());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Normalizes and rates the cases as `meter` does.
#[test]
fn worked_cases_cost_what_they_should_from_their_raw_usage() {
    let Some((cases, books)) = books() else { return };
    let mut wrong = Vec::new();
    for case in &cases {
        let event = event(&raw_event(case));
        let own = OWN.contains(&case["id"].as_str().unwrap_or_default());
        let book = if own { &books.with_own } else { &books.published };
        match normalize(&event) {
            Ok(usage) => wrong.extend(complaint(case, &book.rate(&event, &usage, None))),
            Err(_) if case["expected_status"] == "invalid_usage" => {}
            Err(rejection) => wrong.push(format!("{}: {rejection}", case["id"])),
        }
    }
    println!("{} of {} cases differ", wrong.len(), cases.len());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
