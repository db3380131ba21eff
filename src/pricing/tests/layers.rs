//! Which row wins: layers, dates, corrections, aliases.

use serde_json::json;

use super::{event, usage};
use crate::pricing::{Cost, Layer, PriceBook};

const LIST: &str = "
    provider = 'p'
    [[model]]
    name = 'm'
    effective_from = 2026-01-01
    rates = { input_text = '1' }
    [[model]]
    name = 'm'
    effective_from = 2027-01-01
    rates = { input_text = '2' }
";

fn layered(texts: &[&str]) -> PriceBook {
    let layers: Vec<Layer> = texts.iter().map(|text| Layer::new("layer", *text)).collect();
    PriceBook::from_layers(&layers).expect("a readable book")
}

/// The cost of a million input tokens.
fn cost(book: &PriceBook, at: &str, tenant: Option<&str>) -> Cost {
    let event = event(&json!({ "provider": "p", "model": "m", "occurred_at": at }));
    book.rate(&event, &usage(&json!({ "input_text": 1_000_000 })), tenant)
}

fn check(book: &PriceBook, at: &str, expected: &str) -> Cost {
    let cost = cost(book, at, None);
    let amount = cost.cost.map_or_else(|| cost.status.name().to_owned(), |cost| cost.to_string());
    assert_eq!(amount, expected, "{at}");
    cost
}

#[test]
fn the_row_in_force_at_the_events_time_prices_it() {
    let book = layered(&[LIST]);
    check(&book, "2025-12-31T23:59:59.999999Z", "unpriced");
    check(&book, "2026-01-01T00:00:00Z", "1");
    check(&book, "2026-12-31T23:59:59.999999Z", "1");
    check(&book, "2027-01-01T00:00:00Z", "2");
}

#[test]
fn the_later_start_beats_the_later_layer() {
    let import = "
        provider = 'p'
        observed = 2026-11-01
        [[model]]
        name = 'm'
        rates = { input_text = '3' }
    ";
    let book = layered(&[LIST, import]);
    check(&book, "2026-11-01T00:00:00Z", "3");
    check(&book, "2027-01-01T00:00:00Z", "2");
    let dated = check(&book, "2026-10-31T23:59:59Z", "1");
    assert!(!dated.flags.contains("undated_price"));
    let assumed = check(&book, "2025-06-01T00:00:00Z", "3");
    assert!(assumed.flags.contains("undated_price"));
}

#[test]
fn overrides_beat_contracts_beat_the_list() {
    let contract = "
        layer = 'contract'
        provider = 'p'
        [[model]]
        name = 'm'
        rates = { input_text = '0.8' }
    ";
    let own = "
        layer = 'override'
        provider = 'p'
        tenant = 'acme'
        [[model]]
        name = 'm'
        rates = { input_text = '0.5' }
    ";
    let book = layered(&[own, contract, LIST]);
    let at = "2027-06-01T00:00:00Z";
    let amounts = |tenant| {
        let cost = cost(&book, at, tenant);
        (cost.cost.map(|it| it.to_string()), cost.list_cost.map(|it| it.to_string()))
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(amounts(Some("acme")), (text("0.5"), text("2")));
    assert_eq!(amounts(Some("other")), (text("0.8"), text("2")));
    assert_eq!(amounts(None), (text("0.8"), text("2")));
}

#[test]
fn a_correction_holds_while_the_map_still_carries_the_amount() {
    let built_in = "
        provider = 'p'
        [[model]]
        name = 'm'
        effective_from = 2025-01-01
        rates = { input_text = '3.3' }
        corrects = { input_text = '3' }
    ";
    let map = |amount: &str| {
        format!(
            "provider = 'p'\nobserved = 2026-11-01\n[[model]]\nname = 'm'\n\
             rates = {{ input_text = '{amount}' }}"
        )
    };
    check(&layered(&[built_in, &map("3")]), "2026-11-22T00:00:00Z", "3.3");
    check(&layered(&[built_in, &map("2.9")]), "2026-11-22T00:00:00Z", "2.9");
}

#[test]
fn aliases_stand_for_models_of_a_tenant_for_a_time() {
    let aliases = "
        layer = 'override'
        provider = 'p'
        [[alias]]
        alias = 'deployed'
        canonical = 'm'
        tenant = 'acme'
        effective_from = 2026-02-01
        [[alias]]
        provider = 'reseller'
        alias = 'p-m'
        to_provider = 'p'
        canonical = 'm'
    ";
    let book = layered(&[LIST, aliases]);
    let status = |provider: &str, model: &str, at: &str, tenant| {
        let event = event(&json!({ "provider": provider, "model": model, "occurred_at": at }));
        let cost = book.rate(&event, &usage(&json!({ "input_text": 1 })), tenant);
        (cost.status.name(), cost.resolution, cost.priced_model)
    };
    let found = |step: &str| ("priced", Some(step.to_owned()), Some("m".to_owned()));
    let at = "2026-03-01T00:00:00Z";
    assert_eq!(status("p", "deployed", at, Some("acme")), found("alias"));
    assert_eq!(status("p", "deployed", at, None), ("unpriced", None, None));
    let before = "2026-01-15T00:00:00Z";
    assert_eq!(status("p", "deployed", before, Some("acme")), ("unpriced", None, None));
    assert_eq!(status("reseller", "p-m", at, None), found("other_provider"));
}

#[test]
fn a_prefix_makes_a_model_known_only_where_it_prices_tokens() {
    let book = layered(&["
        provider = 'p'
        [[model]]
        prefix = ''
        rates = { web_search_call = '10 / 1000' }
        [[model]]
        prefix = 'm-'
        rates = { web_fetch_call = '0' }
        [[model]]
        prefix = 'm-large-'
        rates = { input_text = '3' }
        [[model]]
        name = 'm-large-1'
        rates = { input_text = '5' }
    "]);
    let resolution = |model: &str| {
        let event = event(&json!({ "provider": "p", "model": model }));
        let usage = usage(&json!({ "input_text": 1_000_000, "web_search_call": 1 }));
        let cost = book.rate(&event, &usage, None);
        (cost.resolution, cost.cost.map(|cost| cost.to_string()))
    };
    let found = |step: &str, amount: &str| (Some(step.to_owned()), Some(amount.to_owned()));
    assert_eq!(resolution("m-small"), (None, None));
    assert_eq!(resolution("m-large-2"), found("prefix", "3.01"));
    assert_eq!(resolution("m-large-1"), found("exact", "5.01"));
    assert_eq!(resolution("m-large-1-20261101"), found("date_stripped", "5.01"));
}
