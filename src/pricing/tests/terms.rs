//! Whose terms count: contexts, multipliers, currencies and names of a tenant, a deployment, an
//! account never reach another's call.

use serde_json::{Value, json};

use super::{event, usage};
use crate::pricing::{Cost, Layer, PriceBook};

const LIST: &str = "
    provider = 'p'
    [[model]]
    name = 'm'
    rates = { input_text = '1' }
    [[model.variant]]
    context = { above = 500 }
    rates = { input_text = '2' }
    [[model]]
    name = 'euros'
    currency = 'EUR'
    rates = { input_text = '1' }
    [[fx]]
    currency = 'EUR'
    usd_per_unit = '1.10'
    effective_from = 2026-01-01
    [[fx]]
    currency = 'EUR'
    usd_per_unit = '1.20'
    effective_from = 2026-06-01
";

fn layered(texts: &[&str]) -> PriceBook {
    let layers: Vec<Layer> = texts.iter().map(|text| Layer::new("layer", *text)).collect();
    PriceBook::from_layers(&layers).expect("a readable book")
}

fn cost(book: &PriceBook, fields: Value, tokens: u64, tenant: Option<&str>) -> Cost {
    let mut fields = fields;
    fields["provider"] = "p".into();
    book.rate(&event(&fields), &usage(&json!({ "input_text": tokens })), tenant)
}

fn amounts(cost: &Cost) -> (Option<String>, Option<String>) {
    (cost.cost.map(|it| it.to_string()), cost.list_cost.map(|it| it.to_string()))
}

fn both(own: &str, list: &str) -> (Option<String>, Option<String>) {
    (Some(own.to_owned()), Some(list.to_owned()))
}

#[test]
fn a_tenants_context_tier_moves_nobody_elses_prompts() {
    let own = "
        layer = 'override'
        provider = 'p'
        tenant = 'acme'
        [[model]]
        name = 'm'
        context = { above = 1000 }
        rates = { input_text = '0.5' }
    ";
    let book = layered(&[LIST, own]);
    let of = |tenant| cost(&book, json!({ "model": "m" }), 2_000, tenant);
    assert_eq!(amounts(&of(Some("acme"))), both("0.001", "0.004"));
    let other = of(Some("other"));
    assert_eq!(amounts(&other), both("0.004", "0.004"));
    assert_eq!(other.flags.iter().count(), 0);
}

#[test]
fn a_contracts_multiplier_is_no_list_price() {
    let terms = "
        layer = 'override'
        provider = 'p'
        tenant = 'acme'
        [[model]]
        prefix = ''
        multipliers = [{ name = 'discount', factor = '0.9' }]
    ";
    let book = layered(&[LIST, terms]);
    let of = |tenant| amounts(&cost(&book, json!({ "model": "m" }), 100, tenant));
    assert_eq!(of(Some("acme")), both("0.00009", "0.0001"));
    assert_eq!(of(Some("other")), both("0.0001", "0.0001"));
}

#[test]
fn a_currency_has_the_rate_of_the_events_time_and_the_tenants_own_first() {
    let agreed = "
        layer = 'override'
        tenant = 'acme'
        [[fx]]
        currency = 'EUR'
        usd_per_unit = '1.00'
    ";
    let book = layered(&[LIST, agreed]);
    let of = |at: &str, tenant| {
        let fields = json!({ "model": "euros", "occurred_at": at });
        amounts(&cost(&book, fields, 3_000_000, tenant)).0
    };
    for (at, amount) in [
        ("2025-12-31T23:59:59.999999Z", None),
        ("2026-01-01T00:00:00Z", Some("3.3")),
        ("2026-05-31T23:59:59.999999Z", Some("3.3")),
        ("2026-06-01T00:00:00Z", Some("3.6")),
    ] {
        assert_eq!(of(at, None).as_deref(), amount, "{at}");
    }
    assert_eq!(of("2026-06-01T00:00:00Z", Some("acme")).as_deref(), Some("3"));
}

#[test]
fn names_are_a_deployments_an_accounts_or_everybodys() {
    let aliases = "
        provider = 'p'
        [[alias]]
        alias = 'chat'
        canonical = 'm'
        deployment = 'east'
        [[alias]]
        alias = 'chat'
        canonical = 'euros'
        when = { source = 'account-42' }
        [[alias]]
        alias = 'm-latest'
        canonical = 'm'
        effective_from = 2026-01-01
        [[alias]]
        alias = 'm-latest'
        canonical = 'euros'
        effective_from = 2026-10-01
        [[alias]]
        alias = 'm'
        canonical = 'euros'
    ";
    let book = layered(&[LIST, aliases]);
    let found = |fields: Value| {
        let cost = cost(&book, fields, 1, None);
        cost.priced_model.map(|model| (model, cost.resolution.unwrap_or_default()))
    };
    let as_ = |model: &str, step: &str| Some((model.to_owned(), step.to_owned()));
    assert_eq!(found(json!({ "model": "chat", "deployment": "east" })), as_("m", "alias"));
    let account = json!({ "model": "chat", "source": "account-42" });
    assert_eq!(found(account), as_("euros", "alias"));
    assert_eq!(found(json!({ "model": "chat" })), None);
    let latest = |at: &str| found(json!({ "model": "m-latest", "occurred_at": at }));
    assert_eq!(latest("2026-09-30T23:59:59Z"), as_("m", "latest"));
    assert_eq!(latest("2026-10-01T00:00:00Z"), as_("euros", "latest"));
    // Everybody's alias never hides a model's own rows.
    assert_eq!(found(json!({ "model": "m" })), as_("m", "exact"));
}

#[test]
fn another_providers_price_counts_only_where_a_row_says_so() {
    let others = "
        [[alias]]
        provider = 'reseller'
        alias = '*'
        to_provider = 'other'
        [[alias]]
        provider = 'reseller'
        alias = '*'
        to_provider = 'p'
        [[alias]]
        provider = 'other'
        alias = '*'
        to_provider = 'p'
        [[model]]
        provider = 'other'
        name = 'o-20261101'
        rates = { input_text = '3' }
    ";
    let book = layered(&[LIST, others]);
    let found = |provider: &str, model: &str| {
        let event = event(&json!({ "provider": provider, "model": model }));
        let cost = book.rate(&event, &usage(&json!({ "input_text": 1 })), None);
        (cost.status.name(), cost.resolution.unwrap_or_default())
    };
    assert_eq!(found("reseller", "m"), ("priced", "other_provider".to_owned()));
    assert_eq!(found("reseller", "o-2026-11-01"), ("priced", "other_provider".to_owned()));
    assert_eq!(found("reseller", "x"), ("unpriced", String::new()));
    assert_eq!(found("stranger", "m"), ("unpriced", String::new()));
}

#[test]
fn the_version_tells_a_contract_from_a_list() {
    let contract = LIST.replace("provider = 'p'", "layer = 'contract'\nprovider = 'p'");
    assert_ne!(layered(&[LIST]).version(), layered(&[&contract]).version());
}

#[test]
fn keys_that_mean_nothing_for_a_row_are_refused() {
    for (text, words) in [
        (
            "[[alias]]\nprovider = 'p'\nalias = 'a'\ncanonical = 'm'\ntier = 'batch'",
            "unknown key `tier`",
        ),
        ("[[fx]]\ncurrency = 'EUR'\nusd_per_unit = 1\nper = 2", "unknown key `per`"),
        ("[[fx]]\ncurrency = 'EUR'\nusd_per_unit = 1\ntenant = 't'", "list prices are everybody's"),
        (
            "provider = 'p'\n[[model]]\nname = 'm'\ncontext = { above = 1 }\n\
             multipliers = [{ name = 'x', factor = 2 }]",
            "a multiplier counts for every prompt",
        ),
    ] {
        let error = PriceBook::from_layers(&[Layer::new("layer", text)]).expect_err(text);
        assert!(error.message.contains(words), "{error}");
    }
}

/// A tenant's own price makes a model, a prefix or a provider known to that tenant alone: everybody
/// else's names lead where they led before.
#[test]
fn what_one_tenant_has_agreed_on_makes_nothing_known_to_others() {
    let list = "
        [[model]]
        provider = 'openai'
        name = 'm'
        rates = { input_text = '1' }
        [[model]]
        provider = 'openai'
        prefix = 'f-'
        rates = { input_text = '2' }
    ";
    let theirs = "
        layer = 'override'
        [[model]]
        provider = 'openai'
        name = 'm-2026-11-01'
        tenant = 'globex'
        rates = { input_text = '9' }
        [[model]]
        provider = 'openai'
        prefix = 'f-long-'
        tenant = 'globex'
        rates = { input_text = '9' }
        [[model]]
        provider = 'mistral'
        name = 'm'
        tenant = 'globex'
        rates = { input_text = '9' }
        [[model]]
        provider = 'house'
        name = 'h'
        tenant = 'globex'
        rates = { input_text = '9' }
        [[model]]
        provider = 'anthropic'
        name = 'own'
        tenant = 'globex'
        rates = { input_text = '9' }
    ";
    let (alone, beside) = (layered(&[list]), layered(&[list, theirs]));
    let usage = usage(&json!({ "input_text": 1_000_000 }));
    let of = |book: &PriceBook, provider: &str, model: &str, tenant: &str| {
        let event = event(&json!({ "provider": provider, "model": model }));
        let cost = book.rate(&event, &usage, Some(tenant));
        let amount = cost.cost.map(|cost| cost.to_string()).unwrap_or_default();
        let flags = cost.flags.iter().collect::<Vec<_>>().join(",");
        (cost.status.name(), amount, cost.resolution, flags)
    };
    for (provider, model, others) in [
        ("openai", "m", "1"),
        ("openai", "m-2026-11-01", "1"),
        ("openai", "f-long-2", "2"),
        ("litellm_proxy", "m", "1"),
        ("litellm_proxy", "own", ""),
        ("house", "h", ""),
        ("house", "m", ""),
        ("mistral", "m", ""),
    ] {
        let (one, other) =
            (of(&alone, provider, model, "acme"), of(&beside, provider, model, "acme"));
        assert_eq!(one, other, "{provider} {model}");
        assert_eq!(one.1, others, "{provider} {model}");
    }
    for (provider, model) in [
        ("openai", "m-2026-11-01"),
        ("openai", "f-long-2"),
        ("mistral", "m"),
        ("house", "h"),
        ("litellm_proxy", "own"),
    ] {
        assert_eq!(of(&beside, provider, model, "globex").1, "9", "{provider} {model}");
    }
}
