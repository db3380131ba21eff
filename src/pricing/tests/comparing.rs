//! What a change of book changes, and what a book does not cover.

use serde_json::json;

use super::{book, event, usage};
use crate::pricing::{Coverage, Layer, PriceBook, import_litellm};

#[test]
fn a_diff_names_each_key_whose_price_differs() {
    let old = book(
        "provider = 'p'\nobserved = 2026-11-01\n\
         [[model]]\nname = 'm'\nrates = { input_text = '2.50', output_text = '10', pages = '1' }\n\
         tiers.batch = { input_text = '1.25' }\n\
         [[model]]\nname = 'dated'\neffective_from = 2026-01-01\nrates.input_text = '1'",
    );
    let new = book(
        "provider = 'p'\nobserved = 2026-11-20\n\
         [[model]]\nname = 'm'\nper = 1\n\
         rates = { input_text = '0.000002', output_text = '0.00001' }\n\
         tiers.batch = { input_text = '0.00000125' }\n\
         [[model]]\nname = 'dated'\neffective_from = 2026-01-01\neffective_to = 2026-12-01\n\
         rates.input_text = '1'\n\
         [[model]]\nname = 'dated'\neffective_from = 2026-12-01\nrates.input_text = '0'",
    );
    let said: Vec<String> = old.diff(&new).iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "p dated input_text since 2026-01-01: 1 USD per 1000000 -> \
             1 USD per 1000000 until 2026-12-01T00:00:00Z (+0 %)",
            "p dated input_text since 2026-12-01: none -> 0 USD per 1000000",
            "p m input_text: 2.5 USD per 1000000 -> 0.000002 USD (-20 %)",
            "p m pages: 1 USD -> none",
        ]
    );
    assert_eq!(old.diff(&old), []);
    let json = serde_json::to_value(&old.diff(&new)[2]).expect("JSON");
    assert_eq!(json["percent"], "-20");
    assert_eq!(json["old"]["amount"], "2.5");
}

#[test]
fn a_later_observation_of_the_same_map_changes_nothing() {
    let map = br#"{ "m": { "litellm_provider": "openai", "input_cost_per_token": 1e-06 } }"#;
    let imported = |at: &str| {
        let import = import_litellm(map, at.parse().expect("a time")).expect("a map");
        PriceBook::from_layers(&[Layer::new("map", import.text)]).expect("a book")
    };
    let (old, new) = (imported("2026-11-01T00:00:00Z"), imported("2026-11-20T00:00:00Z"));
    assert_ne!(old.version(), new.version());
    assert_eq!(old.diff(&new), []);
}

#[test]
fn coverage_counts_by_calls_and_tokens() {
    let book = book("provider = 'openai'\n[[model]]\nname = 'm'\nrates.input_text = '1'");
    let mut coverage = Coverage::default();
    for (model, counts) in [
        ("m", json!({ "input_text": 600 })),
        ("m", json!({ "input_text": 100, "cache_read_text": 100 })),
        ("m", json!({ "output_text": 100 })),
        ("unheard-of", json!({ "input_text": 100 })),
        ("nothing", json!({})),
    ] {
        let (event, mut usage) = (event(&json!({ "model": model })), usage(&counts));
        if model == "nothing" {
            usage.requests.clear();
        }
        coverage.add_call(&event, &usage, &book.rate(&event, &usage, None));
    }
    let total = coverage.total();
    assert_eq!((total.calls, total.unpriced_calls), (5, 2));
    assert_eq!(total.unpriced_share_of_calls(), "40.00");
    assert_eq!(total.unpriced_share_of_tokens(), "20.00");
    let models = coverage.models();
    let m = models.iter().find(|(_, model, _)| *model == "m").expect("seen").2;
    let missing: Vec<_> = m.missing.iter().map(|(flag, calls)| (flag.as_str(), *calls)).collect();
    assert_eq!(missing, [("no_rate:output_text", 1), ("rate_fallback:input_text", 1)]);
    assert_eq!(Coverage::default().total().unpriced_share_of_calls(), "0.00");
}
