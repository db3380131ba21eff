//! Costs beside those of genai-prices for real usage blocks, priced by its own imported rows: where
//! the rows agree, the last digit must. Needs the usage blocks of genai-prices' own tests, a JSON
//! object a line, in `TOKENMETER_USAGE_BODIES` and a path to its published module in
//! `TOKENMETER_GENAI_PRICES`; skipped loudly otherwise, neither is part of the repository.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::event;
use crate::event::CallEvent;
use crate::money::Decimal;
use crate::pricing::{Layer, PriceBook, import_genai_prices};
use crate::usage::normalize;

/// Their provider and flavor, our provider and API.
const FLAVORS: [(&str, &str, &str, &str); 8] = [
    ("anthropic", "default", "anthropic", "messages"),
    ("openai", "chat", "openai", "chat.completions"),
    ("openai", "responses", "openai", "responses"),
    ("google", "default", "google", "generateContent"),
    ("groq", "default", "groq", "chat.completions"),
    ("mistral", "default", "mistral", "chat.completions"),
    ("deepseek", "chat", "deepseek", "chat.completions"),
    ("cerebras", "chat", "cerebras", "chat.completions"),
];

/// Their prices are those of an early date, before any of the dated changes of these models.
const AT: &str = "2025-11-01T12:00:00Z";

fn bodies() -> Option<Vec<Value>> {
    let text = std::fs::read_to_string(std::env::var_os("TOKENMETER_USAGE_BODIES")?).ok()?;
    Some(text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect())
}

fn book() -> Option<PriceBook> {
    let module = std::fs::read(std::env::var_os("TOKENMETER_GENAI_PRICES")?).ok()?;
    let observed = "2026-11-01T00:00:00Z".parse().expect("a time");
    let import = import_genai_prices(&module, observed).expect("a module");
    Some(PriceBook::from_layers(&[Layer::new("genai.toml", import.text)]).expect("a book"))
}

/// Its output cost 1 USD per million in the data that the references were made with; version 0.2.3
/// has 0.10 and says that the former was wrong.
const CORRECTED: &str = "ministral-8b-latest";

/// The usage block, by either of its names.
fn usage_of(body: &Value) -> &Value {
    ["usage", "usageMetadata"].iter().find_map(|key| body.get(key)).unwrap_or(body)
}

/// The sum of their input and output price, exact.
fn their_price(extractor: &Value) -> Option<Decimal> {
    let amount = |key: &str| extractor[key].as_str()?.parse::<Decimal>().ok();
    amount("input_price")?.checked_add(amount("output_price")?)
}

/// Whether tokens cost the same; searches are in neither of their two sums.
fn verdict(book: &PriceBook, event: &CallEvent, theirs: Decimal) -> Result<(), String> {
    let usage = normalize(event).map_err(|rejection| rejection.to_string())?;
    let cost = book.rate(event, &usage, None);
    let flags: Vec<&str> = cost.flags.iter().collect();
    let tokens = cost.cost.zip(cost.fees_cost).and_then(|(all, fees)| all.checked_sub(fees));
    match tokens {
        Some(ours) if ours.to_decimal() == theirs => Ok(()),
        Some(ours) => Err(format!("{ours}, theirs {theirs} {flags:?}")),
        None => Err(format!("{} {flags:?}", cost.status.name())),
    }
}

#[test]
fn reference_prices_agree_to_the_last_digit() {
    let (Some(bodies), Some(book)) = (bodies(), book()) else {
        println!("SKIPPED: needs TOKENMETER_USAGE_BODIES and TOKENMETER_GENAI_PRICES");
        return;
    };
    let (mut same, mut differ) = (0, BTreeMap::<String, Vec<String>>::new());
    for body in &bodies {
        for extracted in body["extracted"].as_array().into_iter().flatten() {
            for extractor in extracted["extractors"].as_array().into_iter().flatten() {
                let flavor = FLAVORS.iter().find(|flavor| {
                    extractor["provider_id"] == flavor.0 && extractor["api_flavor"] == flavor.1
                });
                let (Some(flavor), Some(theirs)) = (flavor, their_price(extractor)) else {
                    continue;
                };
                if body["model"] == CORRECTED {
                    continue;
                }
                let raw = json!({
                    "provider": flavor.2, "api": flavor.3, "model": body["model"],
                    "usage": usage_of(&body["body"]), "occurred_at": AT,
                });
                let told = match verdict(&book, &event(&raw), theirs) {
                    Ok(()) => {
                        same += 1;
                        continue;
                    }
                    Err(told) => told,
                };
                let kind = format!("{}/{}/{}", flavor.0, flavor.1, body["model"]);
                differ.entry(kind).or_default().push(told);
            }
        }
    }
    for (kind, told) in &differ {
        println!("{kind}: {} {:?}", told.len(), told.first());
    }
    println!("{same} the same, {} differ", differ.values().map(Vec::len).sum::<usize>());
    let amounts = differ.values().flatten().filter(|told| told.contains("theirs"));
    assert_eq!(amounts.count(), 0);
    assert!(same > 500, "{same}");
}
