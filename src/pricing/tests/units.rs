//! docs/units.md against the built-in book and the fixtures: every unit is priced, or says why not.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{event, usage};
use crate::money::Usd;
use crate::pricing::PriceBook;
use crate::usage::TokenClass;

/// Provider and unit.
type Unit = (String, String);

/// Providers whose units are their vendors'.
const RELAYS: [&str; 1] = ["litellm_proxy"];

/// The table: each unit's price as it stands there.
fn documented() -> BTreeMap<Unit, String> {
    let text = include_str!("../../../docs/units.md");
    let rows = text.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    let table = cells.map(|cells| {
        assert!(cells[4].contains("<https://"), "{cells:?} has no link");
        ((cells[1].to_owned(), cells[2].trim_matches('`').to_owned()), cells[3].to_owned())
    });
    table.collect()
}

/// The prices of each unit in the built-in book, as they stand there.
fn priced() -> BTreeMap<Unit, BTreeSet<(String, u64)>> {
    let mut units: BTreeMap<Unit, BTreeSet<(String, u64)>> = BTreeMap::new();
    for row in PriceBook::builtin().rows().filter(|row| row.row_kind == "price") {
        let unit = row.unit_class.unwrap_or_default();
        if TokenClass::from_name(&unit).is_none() {
            let amount = (row.amount.unwrap_or_default(), row.per.unwrap_or_default());
            units.entry((row.provider, unit)).or_default().insert(amount);
        }
    }
    units
}

/// The units that the fixtures expect, with an event of each.
fn expected() -> BTreeMap<Unit, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut units = BTreeMap::new();
    let folders = fs::read_dir(folder).expect("fixtures").map(|entry| entry.expect("entry").path());
    for folder in folders.filter(|path| path.is_dir()) {
        for file in fs::read_dir(folder).expect("a folder") {
            let text = fs::read_to_string(file.expect("a file").path()).expect("a fixture");
            let fixture: Value = serde_json::from_str(&text).expect("JSON");
            let provider = fixture["event"]["provider"].as_str().unwrap_or_default();
            for unit in fixture["expect"]["units"].as_object().into_iter().flatten() {
                let unit = (provider.to_owned(), unit.0.clone());
                units.entry(unit).or_insert_with(|| fixture["event"]["model"].clone());
            }
        }
    }
    units.retain(|(provider, _), _| !RELAYS.contains(&provider.as_str()));
    units
}

#[test]
fn every_unit_is_in_the_table() {
    let documented = documented();
    for unit in priced().keys().chain(expected().keys()) {
        assert!(documented.contains_key(unit), "{unit:?} is missing in docs/units.md");
    }
}

#[test]
fn the_tables_prices_are_the_books() {
    let priced = priced();
    for (unit, price) in documented() {
        let amounts = priced.get(&unit);
        match price.as_str() {
            "unpriced" => assert_eq!(amounts, None, "{unit:?} has a price"),
            "by model" => assert!(amounts.is_some_and(|amounts| amounts.len() > 1), "{unit:?}"),
            price => {
                let (amount, per) = price.split_once(" / ").unwrap_or((price, "1"));
                let only = BTreeSet::from([(amount.to_owned(), per.parse().expect("a number"))]);
                assert_eq!(amounts, Some(&only), "{unit:?}");
            }
        }
    }
}

#[test]
fn a_unit_without_a_price_is_unpriced_and_never_zero() {
    let documented = documented();
    for ((provider, unit), model) in expected() {
        let fields = json!({ "provider": provider, "model": model });
        let counts = json!({ unit.as_str(): 3 });
        let cost = PriceBook::builtin().rate(&event(&fields), &usage(&counts), None);
        let price = documented.get(&(provider, unit.clone())).map(String::as_str);
        let flag = format!("no_rate:{unit}");
        match (cost.cost, cost.status.name()) {
            (Some(Usd::ZERO), status) => assert_eq!((price, status), (Some("0"), "free"), "{unit}"),
            (Some(_), _) => assert_ne!(price, Some("unpriced"), "{model} {unit}"),
            (None, status) => {
                let has_reason = cost.priced_model.is_none() || cost.flags.contains(&flag);
                assert!(status == "unpriced" && has_reason, "{model} {unit}: {:?}", cost.flags);
                assert!(matches!(price, Some("unpriced" | "by model")), "{model} {unit} {price:?}");
            }
        }
    }
}
