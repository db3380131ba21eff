//! Properties: one price for one thing at one instant, parts that sum, no panic, no drift.

use std::cmp::Ordering;

use proptest::prelude::*;
use serde_json::json;

use super::{event, usage};
use crate::money::Decimal;
use crate::pricing::select::by_precedence;
use crate::pricing::{Cost, Layer, PriceBook, import_genai_prices, import_litellm};
use crate::time::Timestamp;
use crate::usage::{TokenClass, Usage};

fn any_rates() -> impl Strategy<Value = String> {
    let names = TokenClass::ALL.map(TokenClass::name).to_vec();
    let rate = (prop::sample::select(names), "[0-9]{1,6}(\\.[0-9]{1,9})?( / [1-9][0-9]{0,6})?");
    prop::collection::btree_map(
        prop::sample::select(TokenClass::ALL.map(TokenClass::name).to_vec()),
        rate,
        1..8,
    )
    .prop_map(|rates| {
        let rates = rates.into_iter().map(|(name, (_, amount))| format!("{name} = '{amount}'"));
        rates.collect::<Vec<_>>().join(", ")
    })
}

fn any_layer() -> impl Strategy<Value = Layer> {
    let block = (any_rates(), 0_u8..28, prop::option::of(0_u64..5_000), 0_usize..3);
    prop::collection::vec(block, 1..6).prop_map(|blocks| {
        let mut text = "provider = 'openai'\n".to_owned();
        for (place, (rates, day, above, tier)) in blocks.into_iter().enumerate() {
            let tier = ["standard", "batch", "flex"][tier];
            let context = above.map(|above| format!("context = {{ above = {above} }}\n"));
            // A start of its own for each block: never two prices at one instant.
            text.push_str(&format!(
                "[[model]]\nname = 'm'\neffective_from = 2026-11-{:02}T00:00:{place:02}Z\n\
                 tier = '{tier}'\n{}rates = {{ {rates} }}\n",
                day + 1,
                context.unwrap_or_default(),
            ));
        }
        Layer::new("any", text)
    })
}

fn any_usage() -> impl Strategy<Value = Usage> {
    let count = prop_oneof![0_u64..10_000, any::<u64>()];
    let names = TokenClass::ALL.map(TokenClass::name).to_vec();
    prop::collection::btree_map(prop::sample::select(names), count, 0..6)
        .prop_map(|counts| usage(&json!(counts)))
}

fn rated(book: &PriceBook, usage: &Usage, day: u8, tier: &str) -> Cost {
    let at = format!("2026-11-{:02}T12:00:00Z", day + 1);
    let event = event(&json!({ "model": "m", "occurred_at": at, "service_tier": tier }));
    book.rate(&event, usage, Some("tenant"))
}

/// Blocks of any kind of layer, for any tenant and deployment, at any time of day.
fn any_terms() -> impl Strategy<Value = Layer> {
    let place = prop::sample::select(vec![
        ("list", ""),
        ("contract", ""),
        ("contract", "tenant = 't'"),
        ("override", "tenant = 't'"),
        ("override", "deployment = 'd'"),
        ("override", "tenant = 't'\ndeployment = 'd'"),
    ]);
    let conditions = prop::sample::select(vec![
        "",
        "context = { above = 100 }",
        "context = { from = 100 }",
        "hours = { windows = ['10:00-14:00'] }",
        "when = { speed = 'fast' }",
        "observed = 2026-11-20",
        "effective_from = 2026-11-10",
    ]);
    let name = prop::sample::select(vec!["name = 'm'", "prefix = ''", "prefix = 'm'"]);
    let kind = prop::sample::select(vec!["rates = { input_text = 1 }", "factors.input_text = 2"]);
    let blocks = prop::collection::btree_set((place, conditions, name, kind), 1..6);
    (blocks, 0_usize..3).prop_map(|(blocks, layer)| {
        let layer = ["list", "contract", "override"][layer];
        let mut text = format!("layer = '{layer}'\nprovider = 'openai'\n");
        for ((kind, terms), conditions, name, price) in blocks {
            if kind == layer {
                text.push_str(&format!("[[model]]\n{name}\n{terms}\n{conditions}\n{price}\n"));
            }
        }
        Layer::new("any", text)
    })
}

proptest! {
    #[test]
    fn one_thing_has_one_price_at_one_instant(
        layers in prop::collection::vec(any_terms(), 1..5), day in 1_u8..28,
    ) {
        // A layer whose own rows contradict each other is refused, and that is right.
        let Ok(book) = PriceBook::from_layers(&layers) else { return Ok(()) };
        let at = format!("2026-11-{day:02}T12:00:00Z").parse().expect("a time");
        let sheet = book.index.provider("openai").and_then(|it| it.exact("m").cloned());
        let rows: Vec<_> = sheet.iter().flat_map(|sheet| sheet.rows().cloned()).collect();
        let in_force = rows.iter().filter(|row| row.period.contains(at)).collect::<Vec<_>>();
        for (place, row) in in_force.iter().enumerate() {
            for other in &in_force[place + 1..] {
                let alike = row.item == other.item
                    && row.tier == other.tier
                    && row.place.tenant == other.place.tenant
                    && row.place.deployment == other.place.deployment;
                prop_assert!(
                    !alike || by_precedence(row, other) != Ordering::Equal,
                    "{row:?}\n{other:?}"
                );
            }
        }
    }

    #[test]
    fn rating_never_panics_and_never_answers_zero_for_something(
        layers in prop::collection::vec(any_layer(), 1..3),
        counts in prop::collection::vec(any::<u64>(), 1..4),
        quantity in "[0-9]{1,38}|[0-9]{1,20}\\.[0-9]{1,18}",
        price in "[0-9]{1,30}(\\.[0-9]{1,30})?( / [1-9][0-9]{0,18})?",
    ) {
        let text = format!(
            "provider = 'openai'\n[[model]]\nname = 'm'\nrates = {{ pages = '{price}' }}\n\
             multipliers = [{{ name = 'x', factor = '1.000000001' }}]"
        );
        let priced = PriceBook::from_layers(&[layers, vec![Layer::new("unit", text)]].concat());
        let Ok(book) = priced else { return Ok(()) };
        let quantity: Decimal = quantity.parse().expect("a quantity");
        let mut usage = usage(&json!({}));
        let request = &mut usage.requests[0];
        for (class, count) in TokenClass::ALL.into_iter().zip(counts) {
            request.tokens.set(class, count);
        }
        request.units.insert("pages".to_owned(), quantity);
        let cost = rated(&book, &usage, 27, "standard");
        prop_assert!(cost.cost.is_some() || !cost.flags.is_empty());
        let event = event(&json!({ "model": "m" }));
        prop_assert!(!book.explain(&event, &usage, None).is_empty());
    }

    #[test]
    fn rating_is_a_function_and_its_parts_sum(
        layers in prop::collection::vec(any_layer(), 1..4),
        usage in any_usage(),
        day in 0_u8..28,
        tier in prop::sample::select(vec!["standard", "batch", "flex", "priority"]),
    ) {
        let book = PriceBook::from_layers(&layers).expect("a readable book");
        let cost = rated(&book, &usage, day, tier);
        let again = PriceBook::from_layers(&layers).expect("a readable book");
        prop_assert_eq!(&cost, &rated(&again, &usage, day, tier), "a reload changed the cost");
        if let Some(total) = cost.cost {
            let parts = [cost.input_cost, cost.cache_cost, cost.output_cost, cost.fees_cost];
            let sum: i128 = parts.into_iter().flatten().map(|part| part.pico()).sum();
            prop_assert_eq!(sum, total.pico());
            prop_assert!(parts.iter().flatten().all(|part| part.pico() >= 0));
            prop_assert!(total.fits_column());
        } else {
            prop_assert!(!cost.flags.is_empty(), "no cost and no reason");
        }
    }

    #[test]
    fn the_order_of_rows_in_a_file_changes_nothing(
        layer in any_layer(), usage in any_usage(), day in 0_u8..28,
    ) {
        let (head, blocks) = layer.text.split_once("[[model]]").expect("a block");
        let mut blocks: Vec<&str> = blocks.split("[[model]]").collect();
        blocks.reverse();
        let turned = format!("{head}[[model]]{}", blocks.join("[[model]]"));
        let book = PriceBook::from_layers(std::slice::from_ref(&layer)).expect("a readable book");
        let turned = PriceBook::from_layers(&[Layer::new("any", turned)]).expect("a readable book");
        prop_assert_eq!(book.version(), turned.version());
        prop_assert_eq!(rated(&book, &usage, day, "flex"), rated(&turned, &usage, day, "flex"));
    }

    #[test]
    fn reading_never_panics(text in "\\PC{0,200}") {
        let _ = PriceBook::from_layers(&[Layer::new("any", text.clone())]);
        let _ = import_litellm(text.as_bytes(), Timestamp::EPOCH);
        let module = format!("x: list[P] = [P(id='a', models=[M({text}");
        let _ = import_genai_prices(module.as_bytes(), Timestamp::EPOCH);
    }

    #[test]
    fn a_price_times_a_count_is_exact(
        amount in 0_u64..1_000_000_000, scale in 0_u32..7, tokens in 0_u64..1_000_000,
    ) {
        let digits = 10_u128.pow(scale);
        let (whole, rest) = (u128::from(amount) / digits, u128::from(amount) % digits);
        let width = usize::try_from(scale).expect("small");
        let published =
            if scale == 0 { whole.to_string() } else { format!("{whole}.{rest:0width$}") };
        let text = format!(
            "provider = 'openai'\n[[model]]\nname = 'm'\nrates = {{ input_text = '{published}' }}"
        );
        let book = PriceBook::from_layers(&[Layer::new("any", text)]).expect("a readable book");
        let cost = rated(&book, &usage(&json!({ "input_text": tokens })), 0, "standard");
        // USD per million tokens with six decimals or fewer are whole picodollars per token.
        let expected = u128::from(amount) * 10_u128.pow(6 - scale) * u128::from(tokens);
        let cost = cost.cost.map(|cost| u128::try_from(cost.pico()).expect("not negative"));
        if expected <= 999_999_999_999_999_999 {
            prop_assert_eq!(cost, Some(expected));
        } else {
            prop_assert_eq!(cost, None);
        }
    }
}
