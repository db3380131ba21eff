//! The bugs that other tools had, a test for each group: `tests/bugs/NN-name.json` holds calls of
//! that kind and what they come to by `prices.toml` beside it. `tests/bugs/run` puts each bug in
//! and shows that its test fails.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use tokenmeter::attribution::{Rules, Sender};
use tokenmeter::charge::meter;
use tokenmeter::event::{Rejection, decode_call_event};
use tokenmeter::pricing::{Layer, PriceBook};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bugs")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

static BOOK: LazyLock<PriceBook> = LazyLock::new(|| {
    let layers = ["prices.toml", "customer.toml"].map(|name| Layer::new(name, read(name)));
    PriceBook::load(&layers).expect("a book")
});

/// What a call comes to, in the words of a case's `expect`.
fn outcome(case: &Value) -> Result<Value, Rejection> {
    let mut raw = json!({
        "event_id": "evt-1", "source": "bugs", "occurred_at": "2026-11-22T12:00:00Z",
    });
    raw.as_object_mut().unwrap().extend(case["event"].as_object().cloned().unwrap());
    let sender = Sender { claims_allowed: true, ..Sender::default() };
    let event = decode_call_event(raw.to_string().as_bytes())?;
    let charge = meter(event, &BOOK, &Rules::default(), &sender)?;
    let tokens = charge.usage.tokens().expect("no overflow");
    let tokens: Map<String, Value> =
        tokens.present().map(|(class, count)| (class.name().to_owned(), count.into())).collect();
    let units = charge.usage.units().expect("no overflow").into_iter();
    let units: Map<String, Value> =
        units.map(|(name, quantity)| (name, quantity.to_string().into())).collect();
    let mut told = json!({
        "usage_status": charge.usage.status.name(),
        "cost_status": charge.cost.status.name(),
        "tokens": tokens,
        "units": units,
        "cost_usd": charge.cost.cost.map(|cost| cost.to_string()),
    });
    if let Some(flags) = case["expect"]["flags"].as_array() {
        let raised: Vec<&str> = charge.usage.flags.iter().chain(charge.cost.flags.iter()).collect();
        let all = flags.iter().all(|flag| raised.contains(&flag.as_str().unwrap()));
        told["flags"] = if all { json!(flags) } else { json!(raised) };
    }
    Ok(told)
}

/// Meters the cases of one group.
fn check(name: &str) {
    let group: Value = serde_json::from_str(&read(&format!("{name}.json"))).expect("JSON");
    let cases = group["cases"].as_array().expect("cases");
    assert!(!cases.is_empty() && group["threads"].is_array() && group["wrong"].is_string());
    for case in cases {
        let told = outcome(case).unwrap_or_else(|why| json!({"rejection": why.code.name()}));
        assert_eq!(told, case["expect"], "{name}, {}", case["why"]);
    }
}

macro_rules! groups {
    ($($(#[$meta:meta])* $test:ident: $name:literal,)*) => {
        $($(#[$meta])* #[test] fn $test() { check($name); })*

        #[test]
        fn every_group_has_its_cases_and_its_bug() {
            for name in [$($name),*] {
                for ending in ["json", "patch"] {
                    assert!(folder().join(format!("{name}.{ending}")).exists(), "{name}.{ending}");
                }
            }
        }
    };
}

groups! {
    group_01_cache_write_on_top_of_input: "01-cache-write-on-top-of-input",
    group_02_cache_ignored: "02-cache-ignored",
    group_03_custom_price_and_cache: "03-custom-price-and-cache",
    group_04_cached_added_to_input: "04-cached-added-to-input",
    group_05_inclusive_or_exclusive_spans: "05-inclusive-or-exclusive-spans",
    group_06_exclusive_as_inclusive: "06-exclusive-as-inclusive",
    group_07_google_cached_twice: "07-google-cached-twice",
    group_08_negative_text_with_cached_images: "08-negative-text-with-cached-images",
    group_09_thoughts_dropped: "09-thoughts-dropped",
    group_10_xai_reasoning_excluded: "10-xai-reasoning-excluded",
    group_11_anthropic_stream_summed: "11-anthropic-stream-summed",
    group_12_anthropic_delta_null_or_larger: "12-anthropic-delta-null-or-larger",
    group_13_content_blocks_counted_each: "13-content-blocks-counted-each",
    group_14_cumulative_chunks_summed: "14-cumulative-chunks-summed",
    group_15_aborted_stream_free: "15-aborted-stream-free",
    group_16_one_hour_cache_as_five_minutes: "16-one-hour-cache-as-five-minutes",
    group_17_batch_discount_missing: "17-batch-discount-missing",
    group_18_service_tier_ignored: "18-service-tier-ignored",
    group_19_context_tier_without_the_cache: "19-context-tier-without-the-cache",
    group_20_threshold_off_by_one: "20-threshold-off-by-one",
    group_21_bedrock_prefix_stripped: "21-bedrock-prefix-stripped",
    group_22_fine_tuned_name_as_base: "22-fine-tuned-name-as-base",
    group_23_dated_and_deployed_names: "23-dated-and-deployed-names",
    group_24_todays_price_for_the_past: "24-todays-price-for-the-past",
    group_25_unknown_as_zero: "25-unknown-as-zero",
    group_26_rounded_early: "26-rounded-early",
    group_27_tool_use_tokens: "27-tool-use-tokens",
    group_28_openrouter_byok: "28-openrouter-byok",
    group_29_audio_as_text: "29-audio-as-text",
    group_30_bedrock_cache_subtracted: "30-bedrock-cache-subtracted",
    group_31_gateway_hit_charged: "31-gateway-hit-charged",
    group_32_perplexity_fees: "32-perplexity-fees",
    group_33_xai_text_includes_cached: "33-xai-text-includes-cached",
    group_34_deepseek_miss_as_write: "34-deepseek-miss-as-write",
}
