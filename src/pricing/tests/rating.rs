//! Rating: tiers, fallbacks, multipliers, statuses, currencies, the one rounding.

use serde_json::{Value, json};

use super::{book, event, usage};
use crate::pricing::{Config, Cost, Layer, PriceBook};

const BOOK: &str = "
    provider = 'openai'
    [[model]]
    name = 'm'
    rates.input_text = '1'
    rates.cache_read_text = '0.1'
    rates.output_text = '4'
    rates.web_search_call = '10 / 1000'
    tiers.batch = { input_text = '0.5', output_text = '2' }
    multipliers = [
        { name = 'speed_fast', when = { speed = 'fast' }, factor = '2' },
        { name = 'eu', when = { host = 'eu.*' }, factor = '1.1' },
    ]
    [[model.variant]]
    context = { above = 1000 }
    rates = { input_text = '2', output_text = '6' }
    tiers.batch = { input_text = '1', output_text = '3' }
    [[model]]
    name = 'free'
    rates = { input_text = '0', output_text = '0' }
    [[model]]
    name = 'thirds'
    rates = { input_text = '1 / 3', output_text = '1 / 7', cache_read_text = '0.000000000001 / 2' }
    [[model]]
    name = 'dear'
    rates = { input_text = '1 / 1' }
    [[model]]
    name = 'euros'
    currency = 'EUR'
    rates = { input_text = '1' }
    [[fx]]
    currency = 'EUR'
    usd_per_unit = '1.08'
    effective_from = 2026-01-01
    effective_to = 2026-12-01
";

fn rate(fields: Value, counts: Value) -> Cost {
    let mut usage = usage(&counts);
    if let Some(speed) = fields["context"]["speed"].as_str() {
        usage.facts.insert("speed".to_owned(), speed.to_owned());
    }
    let mut fields = fields;
    fields["model"] = fields.get("model").cloned().unwrap_or_else(|| "m".into());
    book(BOOK).rate(&event(&fields), &usage, None)
}

fn check(fields: Value, counts: Value, amount: &str, flags: &[&str]) {
    let label = format!("{fields} {counts}");
    let cost = rate(fields, counts);
    let told = cost.cost.map_or_else(|| cost.status.name().to_owned(), |cost| cost.to_string());
    assert_eq!(told, amount, "{label}");
    assert_eq!(cost.flags.iter().collect::<Vec<_>>(), flags, "{label}");
}

#[test]
fn context_tiers_are_a_cliff_for_the_whole_request() {
    check(json!({}), json!({ "input_text": 1_000, "output_text": 10 }), "0.00104", &[]);
    check(json!({}), json!({ "input_text": 1_001, "output_text": 10 }), "0.002062", &[]);
    let cached = json!({ "input_text": 1, "cache_read_text": 1_000 });
    check(json!({}), cached, "0.002002", &["rate_fallback:input_text"]);
}

#[test]
fn service_tiers_fall_back_by_name() {
    let tier = |tier: &str| json!({ "service_tier": tier });
    let counts = json!({ "input_text": 100, "output_text": 10 });
    check(tier("batch"), counts.clone(), "0.00007", &[]);
    check(tier("flex"), counts.clone(), "0.00007", &["rate_fallback:batch"]);
    check(tier("priority"), counts.clone(), "0.00014", &["rate_fallback:standard"]);
    check(tier("auto"), counts, "0.00014", &[]);
    let cached = json!({ "cache_read_text": 100 });
    check(tier("batch"), cached, "0.00005", &["rate_fallback:input_text"]);
}

#[test]
fn reasoning_is_output_and_says_nothing() {
    check(json!({}), json!({ "output_reasoning": 100 }), "0.0004", &[]);
    check(json!({}), json!({ "output_audio": 100 }), "0.0004", &["rate_fallback:output_text"]);
    check(json!({}), json!({ "cache_write_5m": 100 }), "0.0001", &["rate_fallback:input_text"]);
}

#[test]
fn multipliers_multiply_tokens_but_no_fees() {
    let counts = json!({ "input_text": 100, "web_search_call": 1 });
    let fast_in_europe =
        json!({ "context": { "speed": "fast", "base_url": "https://eu.example.com/v1" } });
    check(fast_in_europe, counts.clone(), "0.01022", &[]);
    check(json!({ "context": { "base_url": "https://api.example.com" } }), counts, "0.0101", &[]);
}

#[test]
fn what_has_no_rate_makes_the_charge_unpriced_and_says_so() {
    let counts = json!({ "input_text": 100, "file_search_call": 1, "citation": 4 });
    check(json!({}), counts, "unpriced", &["no_rate:citation", "no_rate:file_search_call"]);
    check(json!({ "model": "unheard-of" }), json!({ "input_text": 1 }), "unpriced", &[]);
}

#[test]
fn zero_is_free_only_by_an_explicit_row() {
    let cost = rate(json!({ "model": "free" }), json!({ "input_text": 5, "output_text": 7 }));
    assert_eq!((cost.status.name(), cost.cost.map(|cost| cost.pico())), ("free", Some(0)));
    let cost = rate(json!({}), json!({}));
    assert_eq!((cost.status.name(), cost.cost.map(|cost| cost.pico())), ("priced", Some(0)));
}

#[test]
fn one_rounding_at_the_end_and_parts_that_sum() {
    let counts = json!({ "input_text": 1, "output_text": 1, "cache_read_text": 1 });
    let cost = rate(json!({ "model": "thirds" }), counts);
    // 1/3 + 1/7 USD and half a picodollar.
    assert_eq!(cost.cost.expect("a cost").to_string(), "0.476190476191");
    assert!(cost.flags.contains("cost_rounded"));
    let parts = [cost.input_cost, cost.cache_cost, cost.output_cost, cost.fees_cost];
    let sum: i128 = parts.into_iter().flatten().map(|part| part.pico()).sum();
    assert_eq!(Some(sum), cost.cost.map(|cost| cost.pico()));
}

#[test]
fn a_cost_beyond_the_column_is_null() {
    check(json!({ "model": "dear" }), json!({ "input_text": 999_999 }), "999999", &[]);
    check(
        json!({ "model": "dear" }),
        json!({ "input_text": 1_000_000 }),
        "unpriced",
        &["cost_overflow"],
    );
    check(
        json!({ "model": "dear" }),
        json!({ "input_text": u64::MAX }),
        "unpriced",
        &["cost_overflow"],
    );
}

#[test]
fn currencies_use_the_rate_of_the_events_time() {
    let euros = |at: &str| json!({ "model": "euros", "occurred_at": at });
    let counts = json!({ "input_text": 1_000_000 });
    check(euros("2026-11-30T00:00:00Z"), counts.clone(), "1.08", &[]);
    check(euros("2026-12-01T00:00:00Z"), counts, "unpriced", &["no_fx_rate"]);
}

#[test]
fn hits_and_capacity_cost_nothing_by_name() {
    for (fields, status) in [
        (json!({ "gateway_cache_hit": true }), "gateway_cache_hit"),
        (json!({ "context": { "deployment_type": "provisioned" } }), "committed_capacity"),
        (json!({ "service_tier": "PROVISIONED_THROUGHPUT" }), "committed_capacity"),
    ] {
        let cost = rate(fields, json!({ "input_text": 100 }));
        assert_eq!((cost.status.name(), cost.cost.map(|cost| cost.pico())), (status, Some(0)));
    }
}

#[test]
fn the_providers_own_figure_wins_where_it_is_authoritative() {
    let mut usage = usage(&json!({ "input_text": 100 }));
    usage.reported_cost = Some(("0.0000000000015".parse().expect("a cost"), "openrouter".into()));
    let openrouter = event(&json!({ "provider": "openrouter", "model": "a/b" }));
    let cost = book(BOOK).rate(&openrouter, &usage, None);
    assert_eq!(cost.status.name(), "provider_reported");
    assert_eq!(cost.cost.map(|cost| cost.pico()), Some(2));
    assert!(cost.flags.contains("cost_rounded"));
    assert_eq!(cost.computed_cost, None, "no row prices it");
    let openai = event(&json!({ "model": "m" }));
    assert_eq!(book(BOOK).rate(&openai, &usage, None).status.name(), "priced");
}

#[test]
fn the_computed_figure_stands_beside_the_providers() {
    let text = "
        provider = 'openrouter'
        [[model]]
        name = 'a/b'
        rates = { input_text = '2', output_text = '8' }
        [[model]]
        name = 'c'
        rates = { output_text = '8' }
    ";
    let contract = "
        layer = 'contract'
        provider = 'openrouter'
        [[model]]
        name = 'a/b'
        rates = { input_text = '1' }
    ";
    let layers = [Layer::new("list", text), Layer::new("contract", contract)];
    let book = PriceBook::from_layers(&layers).expect("a readable book");
    let mut usage = usage(&json!({ "input_text": 1_000 }));
    usage.reported_cost = Some(("0.0011".parse().expect("a cost"), "openrouter".into()));
    let of = |model: &str| {
        let event = event(&json!({ "provider": "openrouter", "model": model }));
        let cost = book.rate(&event, &usage, None);
        let amounts = [cost.cost, cost.computed_cost, cost.list_cost];
        (amounts.map(|it| it.map(|it| it.to_string())), cost.flags.contains("no_rate:input_text"))
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(of("a/b"), ([text("0.0011"), text("0.001"), text("0.002")], false));
    // What is not computed says why.
    assert_eq!(of("c"), ([text("0.0011"), None, None], true));
    let event = event(&json!({ "provider": "openrouter", "model": "a/b" }));
    let told = book.explain(&event, &usage, None);
    assert!(told.contains("reports 0.0011 USD, 0.0001 from the computed 0.001"), "{told}");
}

#[test]
fn a_dialect_needs_a_vendor() {
    let usage = usage(&json!({ "input_text": 1 }));
    let resolved = |book: PriceBook, fields: Value| {
        let cost = book.rate(&event(&fields), &usage, None);
        (cost.status.name(), cost.flags.contains("vendor_inferred"))
    };
    let proxied = json!({ "provider": "litellm_proxy", "model": "m" });
    assert_eq!(resolved(book(BOOK), proxied.clone()), ("priced", true));
    let stated = json!({
        "provider": "litellm_proxy", "model": "m", "context": { "custom_llm_provider": "openai" },
    });
    assert_eq!(resolved(book(BOOK), stated), ("priced", false));
    let strict = Config { infer_vendor: false, ..Config::default() };
    assert_eq!(resolved(book(BOOK).with_config(&strict), proxied.clone()), ("unpriced", false));
    let mapped = Config {
        infer_vendor: false,
        vendors: [("test".to_owned(), "openai".to_owned())].into(),
        ..Config::default()
    };
    assert_eq!(resolved(book(BOOK).with_config(&mapped), proxied), ("priced", false));
}

#[test]
fn an_explanation_names_row_formula_and_factors() {
    let mut usage =
        usage(&json!({ "input_text": 1_500, "cache_read_text": 7, "web_search_call": 2 }));
    usage.facts.insert("speed".to_owned(), "fast".to_owned());
    let text = book(BOOK).explain(&event(&json!({ "model": "m" })), &usage, None);
    insta::assert_snapshot!(text);
}

#[test]
fn an_explanation_reads_as_text_with_dates_sources_and_currency() {
    let dated = "
        provider = 'p'
        source_url = 'https://example.com/pricing'
        fetched_at = 2026-11-20
        [[model]]
        name = 'm'
        currency = 'EUR'
        effective_from = 2026-01-01
        effective_to = 2027-01-01
        rates = { input_text = '1 / 3' }
        factors = { cache_write_1h = '2' }
        [[model.variant]]
        hours = { windows = ['16:30-00:30'], weekdays = [1, 2], zone = '+08:00' }
        rates = { output_text = '4' }
        [[fx]]
        currency = 'EUR'
        usd_per_unit = '1.10'
        effective_from = 2026-01-01
        [[fx]]
        currency = 'EUR'
        usd_per_unit = '1.20'
        effective_from = 2026-11-01
    ";
    let mut usage = usage(&json!({ "input_text": 1, "cache_write_1h": 3, "output_text": 500_000 }));
    usage.reported_cost = Some(("2.5".parse().expect("a cost"), "the gateway".to_owned()));
    let fields = json!({ "provider": "p", "model": "m", "occurred_at": "2026-11-24T09:00:00Z" });
    insta::assert_snapshot!(book(dated).explain(&event(&fields), &usage, None));
}

#[test]
fn a_models_prices_at_an_instant() {
    let at = "2026-11-22T12:00:00Z".parse().expect("a time");
    insta::assert_snapshot!(book(BOOK).explain_model("openai", "m-2026-01-01", at));
    assert_eq!(book(BOOK).providers_of("m"), ["openai"]);
    assert!(book(BOOK).explain_model("openai", "other", at).starts_with("no rows for"));
}
