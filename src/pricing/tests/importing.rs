//! LiteLLM's map: what becomes of its keys.

use serde_json::json;

use super::{event, usage};
use crate::pricing::{Import, Layer, PriceBook, import_litellm};

/// One of each kind of key, in the map's shape; models and prices are made up.
const MAP: &str = r#"{
    "sample_spec": { "litellm_provider": "one of the list", "mode": "chat" },
    "talker": {
        "litellm_provider": "openai", "mode": "chat", "max_tokens": 8192, "supports_vision": true,
        "source": "https://example.com/pricing",
        "input_cost_per_token": 2.6000000000000003e-07, "output_cost_per_token": 1e-06,
        "output_cost_per_token_batches": 4.9999999999999998e-07,
        "cache_creation_input_token_cost_above_12hr_above_272k_tokens_flex": 5e-07,
        "input_cost_per_token_above_272k_tokens": 5e-07,
        "regional_processing_uplift_multiplier_eu": 1.1,
        "search_context_cost_per_query": {
            "search_context_size_low": 0.01, "search_context_size_medium": 0.025,
            "search_context_size_high": 0.05
        },
        "cost_of_the_moon": 1
    },
    "gemini/talker": {
        "litellm_provider": "gemini", "mode": "chat", "input_cost_per_token": 0,
        "web_search_billing_unit": "per_query",
        "search_context_cost_per_query": { "search_context_size_medium": 0.014 },
        "google_maps_grounding_cost_per_query": 0.014,
        "search_free_requests": { "count": 5, "period": "day" }
    },
    "xai/talker": {
        "litellm_provider": "xai", "mode": "chat", "input_cost_per_token": 1e-06,
        "input_cost_per_token_above_200k_tokens": 2e-06
    },
    "dashscope/talker": {
        "litellm_provider": "dashscope", "mode": "chat",
        "tiered_pricing": [
            { "range": [0, 256000.0], "input_cost_per_token": 4e-07 },
            { "range": [256000.0, 1000000.0], "input_cost_per_token": 1.2e-06 }
        ]
    },
    "deepseek/night": {
        "litellm_provider": "deepseek", "mode": "chat", "input_cost_per_token": 2e-06,
        "off_peak_pricing": {
            "input_cost_per_token": 1e-06,
            "windows": [
                { "hours_utc": ["22:00-02:00"], "weekdays": [1, 2, 3, 4, 5] },
                { "hours_utc": "00:00-00:00", "weekdays": [6, 7] }
            ]
        }
    },
    "night": { "litellm_provider": "deepseek", "mode": "chat", "input_cost_per_token": 9e-06 },
    "hearer": {
        "litellm_provider": "openai", "mode": "audio_transcription",
        "input_cost_per_second": 0.0001, "output_cost_per_second": 0.0001
    },
    "low/1024-x-1536/painter": {
        "litellm_provider": "openai", "mode": "image_generation", "input_cost_per_image": 0.016
    }
}"#;

fn import() -> Import {
    let observed = "2026-11-01T00:00:00Z".parse().expect("a time");
    import_litellm(MAP.as_bytes(), observed).expect("a map")
}

#[test]
fn a_map_becomes_a_book_file() {
    let import = import();
    let remarks = import.report.remarks.iter();
    let remarks = remarks.map(|it| format!("{} {} {:?}\n", it.kind, it.count, it.examples));
    let report: String = remarks.collect();
    insta::assert_snapshot!(format!("{}\n--- {} rows\n{report}", import.text, import.rows));
}

#[test]
fn the_file_prices_what_the_map_prices() {
    let layer = Layer::new("map.toml", import().text);
    let book = PriceBook::from_layers(&[layer]).expect("a readable book");
    assert_eq!(book.rows().filter(|row| row.row_kind == "price").count(), import().rows);
    for (fields, counts, amount) in [
        (json!({ "model": "talker" }), json!({ "input_text": 100 }), "0.000026"),
        (json!({ "provider": "xai", "model": "talker" }), json!({ "input_text": 200_000 }), "0.4"),
        (
            json!({ "provider": "dashscope", "model": "talker" }),
            json!({ "input_text": 256_000 }),
            "0.1024",
        ),
        // A Sunday, then a Monday: before the window's end at two, and after it.
        (
            json!({ "provider": "deepseek", "model": "night" }),
            json!({ "input_text": 1 }),
            "0.000001",
        ),
        (
            json!({
                "provider": "deepseek", "model": "night", "occurred_at": "2026-11-24T01:59:59Z",
            }),
            json!({ "input_text": 1 }),
            "0.000001",
        ),
        (
            json!({
                "provider": "deepseek", "model": "night", "occurred_at": "2026-11-24T02:00:00Z",
            }),
            json!({ "input_text": 1 }),
            "0.000002",
        ),
        (json!({ "model": "hearer" }), json!({ "audio_seconds": 93 }), "0.0093"),
        (json!({ "model": "painter" }), json!({ "image_low_1024x1536": 2 }), "0.032"),
        (
            json!({ "provider": "gemini", "model": "talker" }),
            json!({ "input_text": 5, "web_search_query": 2, "maps_query": 1 }),
            "0.042",
        ),
    ] {
        let cost = book.rate(&event(&fields), &usage(&counts), None);
        assert_eq!(cost.cost.expect("a cost").to_string(), amount, "{fields} {counts}");
    }
}

#[test]
fn what_is_no_map_is_refused() {
    for (bytes, words) in [("[]", "an object with an entry for each model"), ("{", "")] {
        let observed = crate::time::Timestamp::EPOCH;
        let error = import_litellm(bytes.as_bytes(), observed).expect_err("a refusal").to_string();
        assert!(error.starts_with("not a LiteLLM price map") && error.contains(words), "{error}");
    }
}
