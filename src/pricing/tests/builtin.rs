//! The built-in book: prices that are easily got wrong, each at its instant.

use serde_json::{Value, json};

use super::{event, usage};
use crate::pricing::PriceBook;

fn check(fields: Value, counts: Value, amount: &str, flags: &[&str]) {
    let cost = PriceBook::builtin().rate(&event(&fields), &usage(&counts), None);
    let told = cost.cost.map_or_else(|| cost.status.name().to_owned(), |cost| cost.to_string());
    assert_eq!(told, amount, "{fields} {counts} {:?}", cost.flags);
    assert_eq!(cost.flags.iter().collect::<Vec<_>>(), flags, "{fields} {counts}");
}

#[test]
fn history_is_priced_by_its_own_rows() {
    let million = json!({ "input_text": 1_000_000, "output_text": 1_000_000 });
    let o3 = |at: &str| json!({ "model": "o3-2025-04-16", "occurred_at": at });
    check(o3("2025-06-09T23:59:59.999999Z"), million.clone(), "50", &[]);
    check(o3("2025-06-10T00:00:00Z"), million.clone(), "10", &[]);
    let luna = |at: &str| json!({ "model": "gpt-5.6-luna", "occurred_at": at });
    let short = json!({ "input_text": 100_000, "output_text": 1_000 });
    check(luna("2026-07-29T00:00:00Z"), short.clone(), "0.106", &[]);
    check(luna("2026-07-30T00:00:00Z"), short, "0.0212", &[]);
    let opus = |at: &str| {
        let model = "claude-opus-4-6";
        json!({ "provider": "anthropic", "model": model, "occurred_at": at })
    };
    let long = json!({ "input_text": 200_001 });
    check(opus("2026-03-12T00:00:00Z"), long.clone(), "2.00001", &[]);
    check(opus("2026-03-13T00:00:00Z"), long, "1.000005", &[]);
}

#[test]
fn announced_prices_wait_for_their_day() {
    let flash =
        |at: &str| json!({ "provider": "google", "model": "gemini-3.6-flash", "occurred_at": at });
    let million = json!({ "input_text": 1_000_000 });
    check(flash("2026-12-31T23:59:59Z"), million.clone(), "0.75", &[]);
    check(flash("2027-01-01T00:00:00Z"), million, "1.5", &[]);
}

#[test]
fn batches_halve_the_one_hour_cache_write() {
    let batch = |model: &str| {
        json!({
            "provider": "anthropic", "model": model, "service_tier": "batch",
            "occurred_at": "2026-11-23T12:00:00Z",
        })
    };
    check(batch("claude-sonnet-4-5"), json!({ "cache_write_1h": 4_000 }), "0.012", &[]);
    check(batch("claude-3-7-sonnet-20250219"), json!({ "output_text": 1_000 }), "0.0075", &[]);
    let long = json!({ "input_text": 100_000, "cache_write_1h": 1_000 });
    check(batch("claude-haiku-5-5"), long, "0.0255", &[]);
}

#[test]
fn fees_are_per_call_whatever_the_tier() {
    let at = "2026-11-23T12:00:00Z";
    let claude = json!({ "provider": "anthropic", "model": "claude-opus-5-5", "occurred_at": at });
    check(claude, json!({ "web_search_call": 3, "web_fetch_call": 2 }), "0.03", &[]);
    let gpt = json!({ "model": "gpt-5", "service_tier": "batch", "occurred_at": at });
    check(gpt, json!({ "file_search_call": 1, "web_search_call": 1 }), "0.0125", &[]);
    let router = json!({ "provider": "azure_ai", "model": "gpt-5.4-mini", "occurred_at": at });
    check(router, json!({ "input_text": 10_000, "router_input_token": 10_000 }), "0.0089", &[]);
    let image = json!({ "provider": "azure", "model": "dall-e-3", "occurred_at": at });
    check(image, json!({ "image_standard_1024x1024": 2 }), "0.088", &[]);
}

#[test]
fn bedrocks_bare_ids_are_in_region() {
    let sonnet = |prefix: &str| {
        let model = format!("{prefix}anthropic.claude-sonnet-4-5-20250929-v1:0");
        json!({ "provider": "bedrock", "model": model, "occurred_at": "2026-11-23T12:00:00Z" })
    };
    let million = json!({ "output_text": 1_000_000 });
    check(sonnet(""), million.clone(), "16.5", &[]);
    check(sonnet("us."), million.clone(), "16.5", &[]);
    check(sonnet("global."), million, "15", &[]);
}

#[test]
fn a_model_newer_than_the_book_is_unpriced() {
    for (provider, model) in
        [("google", "gemini-9-pro"), ("openai", "gpt-9"), ("anthropic", "claude-omega-9")]
    {
        let fields = json!({ "provider": provider, "model": model });
        check(fields, json!({ "input_text": 1_000 }), "unpriced", &[]);
    }
}

#[test]
fn long_context_at_xai_begins_at_the_limit() {
    let grok = json!({
        "provider": "xai", "model": "grok-4.20", "occurred_at": "2026-11-23T12:00:00Z",
    });
    check(grok.clone(), json!({ "input_text": 199_999 }), "0.24999875", &[]);
    check(grok, json!({ "input_text": 200_000 }), "0.5", &[]);
}
