//! Worked cases with exact costs, where they are at hand beside the checkout.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::events;
use crate::parts::installed;
use crate::server::{output, tokenmeter};

/// Remarks in a case's context that are no facts of the call.
const REMARKS: [&str; 7] = [
    "price_row",
    "custom_price",
    "implied_published",
    "alias",
    "price_book_version",
    "ingested_at",
    "litellm_map",
];

/// A case as raw events: one, or one for each attempt.
fn events_of(case: &Value) -> Vec<Value> {
    let mut event = Map::new();
    let mut put = |key: &str, value: &Value| {
        if !value.is_null() {
            event.insert(key.to_owned(), value.clone());
        }
    };
    put("event_id", &case["id"]);
    put("source", &json!("worked-cases"));
    put("occurred_at", case.get("at").unwrap_or(&json!("2026-11-22T12:00:00Z")));
    for key in ["provider", "api", "model", "service_tier"] {
        put(key, &case[key]);
    }
    put("usage", &case["raw_usage"]);
    let mut context = case["context"].as_object().cloned().unwrap_or_default();
    context.retain(|key, _| !REMARKS.iter().any(|remark| key.starts_with(remark)));
    if let Some(requested) = context.remove("requested_model") {
        put("request_model", &requested);
    }
    if let Some(answered) = context.remove("response_model") {
        put("model", &answered);
        put("request_model", &case["model"]);
    }
    for (from, to) in [
        ("served_service_tier", "service_tier"),
        ("deployment", "deployment"),
        ("gateway_cache_hit", "gateway_cache_hit"),
        ("provider_reported_cost_usd", "reported_cost"),
    ] {
        if let Some(value) = context.remove(from) {
            put(to, &value);
        }
    }
    if context.remove("stream_completed") == Some(json!(false)) {
        put("status", &json!("aborted"));
    }
    put("context", &Value::Object(context));
    let attempts = case["raw_usage"].as_array().filter(|elements| {
        let own = |element: &Value| !element["attempt"].is_null() || !element["event_id"].is_null();
        elements.iter().any(own)
    });
    let Some(attempts) = attempts else { return vec![Value::Object(event)] };
    let separate = attempts.iter().enumerate().map(|(number, element)| {
        let mut one = event.clone();
        let id = element["event_id"].as_str().map(str::to_owned);
        let id = id.unwrap_or_else(|| format!("{}-{number}", case["id"].as_str().unwrap()));
        one.insert("event_id".to_owned(), json!(id));
        let mut usage = element.clone();
        for key in ["attempt", "event_id"] {
            usage.as_object_mut().expect("an object").remove(key);
        }
        one.insert("usage".to_owned(), usage.get("usage").cloned().unwrap_or(usage));
        Value::Object(one)
    });
    separate.collect()
}

/// Whether what was metered is what the case expects; else what differs.
fn verdict(case: &Value, lines: &[&Value]) -> Result<(), String> {
    let expected = case["expected_status"].as_str().expect("a status");
    let [line] = lines else { return several(case, lines) };
    let status = match line["cost_status"].as_str() {
        None => "invalid_usage",
        Some("committed_capacity" | "gateway_cache_hit") if expected == "free" => "free",
        Some(status) => status,
    };
    let partial = expected == "partial" && line["usage_status"] == "partial";
    if status != expected && !partial {
        return Err(format!("status {status}, not {expected}: {}", line["rejection"]));
    }
    if status == "invalid_usage" {
        return Ok(());
    }
    let cost = (&line["cost_usd"], &case["expected_cost_usd"]);
    if cost.0 != cost.1 {
        return Err(format!("cost {}, not {}; {}", cost.0, cost.1, line["flags"]));
    }
    for (ours, theirs) in [("tokens", "expected_tokens"), ("units", "expected_units")] {
        let none = json!({});
        let theirs = case.get(theirs).filter(|value| !value.is_null()).unwrap_or(&none);
        if numbers(&line[ours]) != numbers(theirs) {
            return Err(format!("{ours} {}, not {theirs}", line[ours]));
        }
    }
    Ok(())
}

/// Several events of one call: the sum over distinct identities.
fn several(case: &Value, lines: &[&Value]) -> Result<(), String> {
    let mut costs: BTreeMap<&str, tokenmeter::money::Usd> = BTreeMap::new();
    for line in lines {
        let cost = line["cost_usd"].as_str().ok_or_else(|| format!("no cost: {line}"))?;
        costs.insert(line["event_id"].as_str().unwrap(), cost.parse().unwrap());
    }
    let zero = tokenmeter::money::Usd::ZERO;
    let sum = costs.values().fold(zero, |sum, cost| sum.checked_add(*cost).unwrap());
    let expected = case["expected_cost_usd"].as_str().unwrap_or_default();
    if sum.to_string() == expected { Ok(()) } else { Err(format!("sum {sum}, not {expected}")) }
}

/// Numbers, whether written as such or as text.
fn numbers(value: &Value) -> BTreeMap<String, String> {
    let fields = value.as_object().cloned().unwrap_or_default();
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    fields.into_iter().map(|(key, value)| (key, text(value))).collect()
}

#[test]
fn every_case_is_right() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/cases");
    let Ok(text) = std::fs::read_to_string(cases.join("pricing.jsonl")) else {
        eprintln!("\n!!! NOT RUN: no worked cases at `{}`\n", cases.display());
        return;
    };
    let Some(maps) = installed("maps-1.109.1") else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let import = |map: &Path, name: &str| {
        let book = dir.path().join(name);
        output(
            tokenmeter(dir.path())
                .args(["prices", "import", "litellm"])
                .arg(map)
                .args(["--effective-from", "2026-11-01", "-o"])
                .arg(&book),
        );
        book
    };
    let published = import(&maps.join("litellm.json"), "published.toml");
    let own = import(&cases.join("own_prices.json"), "own.toml");
    let cases: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a case")).collect();
    let mut wrong = Vec::new();
    let own_layer = ["vllm-null-details-zero-price", "vllm-continuous-usage-stats"];
    for with_own in [false, true] {
        let chosen: Vec<&Value> = cases
            .iter()
            .filter(|case| own_layer.contains(&case["id"].as_str().unwrap()) == with_own)
            .collect();
        let split: Vec<Vec<Value>> = chosen.iter().map(|case| events_of(case)).collect();
        let lines: Vec<String> = split.iter().flatten().map(ToString::to_string).collect();
        let file = events::written(dir.path(), &lines);
        let mut command = tokenmeter(dir.path());
        command.arg("meter").arg(&file).arg("--prices").arg(&published);
        if with_own {
            command.arg("--prices").arg(&own);
        }
        let metered = output(&mut command);
        let metered: Vec<Value> =
            metered.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let mut at = 0;
        for (case, events) in chosen.iter().zip(&split) {
            let lines: Vec<&Value> = metered.iter().skip(at).take(events.len()).collect();
            at += events.len();
            if let Err(why) = verdict(case, &lines) {
                wrong.push(format!("{}: {why}", case["id"]));
            }
        }
    }
    eprintln!("worked cases: {} of {} right", cases.len() - wrong.len(), cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
