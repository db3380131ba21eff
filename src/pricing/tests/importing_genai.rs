//! genai-prices' data: what becomes of its keys, dates, clauses and variants.

use serde_json::{Value, json};

use super::{event, usage};
use crate::pricing::{Import, Layer, PriceBook, import_genai_prices};

/// One of each kind of entry, in the module's shape; models and prices are made up.
const MODULE: &str = "
from .types import *

providers: list[Provider] = [
    Provider(
        id='x-ai', name='X', api_pattern='https://api\\\\.x\\\\.ai',
        pricing_urls=['https://example.com/pricing'],
        fallback_model_providers=['openai'],
        models=[
            ModelInfo(
                id='talker',
                match=ClauseOr(or_=[
                    ClauseEquals(equals='talker-1'), ClauseStartsWith(starts_with='talker-1-'),
                ]),
                prices=[
                    ConditionalPrice(prices=ModelPrice(
                        input_mtok=TieredPrices(
                            base=Decimal('2'), tiers=[Tier(start=199999, price=Decimal('4'))]
                        ),
                        cache_read_mtok=Decimal('0.5'),
                        output_mtok=Decimal('6'),
                    )),
                    ConditionalPrice(
                        constraint=StartDateConstraint(start_date=datetime.date(2026, 3, 13)),
                        prices=ModelPrice(input_mtok=Decimal('1'), output_mtok=Decimal('3')),
                    ),
                ],
            ),
            ModelInfo(
                id='thinker',
                match=ClauseEquals(equals='thinker'),
                price_comments='checked by hand',
                prices=ModelPrice(
                    input_mtok=Decimal('2'), cache_read_mtok=Decimal('0.5'),
                    output_mtok=Decimal('8'), web_searches_kcount=Decimal('10'),
                    moon_trips=Decimal('1'),
                ),
                price_variants=[
                    PriceVariant(when={'service_tier': 'default'}, prices=ModelPrice()),
                    PriceVariant(
                        when={'processing': 'batch'},
                        prices=ModelPrice(input_mtok=Decimal('1'), output_mtok=Decimal('4')),
                        constraint=StartDateConstraint(start_date=datetime.date(2026, 10, 14)),
                    ),
                    PriceVariant(
                        when={'speed': 'fast'}, prices=ModelPrice(output_mtok=Decimal('40'))
                    ),
                ],
            ),
            ModelInfo(
                id='night', match=ClauseRegex(regex='^night'),
                prices=[
                    ConditionalPrice(prices=ModelPrice(input_mtok=Decimal('1'))),
                    ConditionalPrice(
                        constraint=TimeOfDateConstraint(
                            start_time=datetime.time(22, 0, tzinfo=datetime.UTC),
                            end_time=datetime.time(2, 30, tzinfo=datetime.UTC),
                        ),
                        prices=ModelPrice(input_mtok=Decimal('0.25')),
                    ),
                ],
            ),
            ModelInfo(
                id='late', match=ClauseEquals(equals='thinker'),
                prices=ModelPrice(input_mtok=Decimal('9')),
            ),
            ModelInfo(
                id='hearer', match=ClauseEquals(equals='hearer'),
                prices=ModelPrice(audio_hours=Decimal('0.36'), input_audio_hours=Decimal('0.36')),
            ),
        ],
    ),
]
";

fn import() -> Import {
    let observed = "2026-11-01T00:00:00Z".parse().expect("a time");
    import_genai_prices(MODULE.as_bytes(), observed).expect("a module")
}

#[test]
fn a_module_becomes_a_book_file() {
    let import = import();
    let remarks = import.report.remarks.iter();
    let remarks = remarks.map(|it| format!("{} {} {:?}\n", it.kind, it.count, it.examples));
    let report: String = remarks.collect();
    insta::assert_snapshot!(format!("{}\n--- {} rows\n{report}", import.text, import.rows));
}

#[test]
fn the_file_prices_what_the_module_prices() {
    let book = PriceBook::from_layers(&[Layer::new("genai.toml", import().text)]).expect("a book");
    let million = json!({ "input_text": 1_000_000 });
    let short = json!({ "input_text": 1_000, "cache_read_text": 1_000 });
    let long = json!({ "input_text": 199_999, "cache_read_text": 1 });
    let check = |fields: Value, counts: &Value, amount: &str, flags: &[&str]| {
        let mut fields = fields;
        fields["provider"] = "xai".into();
        let mut usage = usage(counts);
        if let Some(speed) = fields["context"]["speed"].as_str() {
            usage.facts.insert("speed".to_owned(), speed.to_owned());
        }
        let cost = book.rate(&event(&fields), &usage, None);
        let told = cost.cost.map_or_else(|| cost.status.name().to_owned(), |it| it.to_string());
        assert_eq!(told, amount, "{fields} {counts} {:?}", cost.flags);
        assert_eq!(cost.flags.iter().collect::<Vec<_>>(), flags, "{fields} {counts}");
    };
    let talker = |at: &str| json!({ "model": "talker-1", "occurred_at": at });
    check(talker("2026-03-12T23:59:59Z"), &short, "0.0025", &[]);
    check(talker("2026-03-12T23:59:59Z"), &long, "0.7999965", &[]);
    check(talker("2026-03-13T00:00:00Z"), &million, "1", &[]);
    check(talker("2026-03-13T00:00:00Z"), &long, "0.2", &["rate_fallback:input_text"]);
    check(json!({ "model": "talker-1-20261101" }), &million, "1", &[]);
    let thinker = |tier: &str| json!({ "model": "thinker", "service_tier": tier });
    let counts = json!({ "input_text": 1_000, "cache_read_text": 1_000, "output_text": 1_000 });
    check(thinker("default"), &counts, "0.0105", &[]);
    check(thinker("batch"), &counts, "0.0055", &[]);
    check(json!({ "model": "thinker", "context": { "speed": "fast" } }), &counts, "0.0425", &[]);
    check(thinker("batch"), &json!({ "web_search_call": 1 }), "0.01", &[]);
    let night = |at: &str| json!({ "model": "night", "occurred_at": at });
    check(night("2026-11-22T02:29:59Z"), &million, "0.25", &[]);
    check(night("2026-11-22T02:30:00Z"), &million, "1", &[]);
    check(json!({ "model": "hearer" }), &json!({ "audio_seconds": 100 }), "0.01", &[]);
}

#[test]
fn json_is_read_too_and_anything_else_refused() {
    let observed = "2026-11-01T00:00:00Z".parse().expect("a time");
    let map = r#"[{ "id": "openai", "models": [{ "id": "m", "match": { "equals": "m" },
        "prices": { "input_mtok": 1.10, "output_mtok": { "base": 2, "tiers": [] } } }] }]"#;
    let import = import_genai_prices(map.as_bytes(), observed).expect("JSON");
    assert_eq!((import.models, import.rows), (1, 2));
    assert!(import.text.contains(r#"input_text = "1.1""#), "{}", import.text);
    for wrong in ["", "providers = 1", "{}", "[{}]", "x: list[P] = [P(]"] {
        let error = import_genai_prices(wrong.as_bytes(), observed).expect_err(wrong);
        assert!(error.to_string().starts_with("not genai-prices' data: expected"), "{error}");
    }
}

/// The published module itself, where a path to it is in `TOKENMETER_GENAI_PRICES`.
#[test]
fn the_published_module_is_read_whole() {
    let module = std::env::var_os("TOKENMETER_GENAI_PRICES").and_then(|it| std::fs::read(it).ok());
    let Some(module) = module else {
        println!("SKIPPED: needs TOKENMETER_GENAI_PRICES=path of genai_prices/data.py");
        return;
    };
    let observed = "2026-11-01T00:00:00Z".parse().expect("a time");
    let import = import_genai_prices(&module, observed).expect("a module");
    for remark in &import.report.remarks {
        println!("{}: {} {:?}", remark.kind, remark.count, remark.examples);
    }
    println!("{} rows of {} models", import.rows, import.models);
    let book = PriceBook::load(&[Layer::new("genai.toml", import.text)]).expect("a sound book");
    let opus = |at: &str| {
        let fields =
            json!({ "provider": "anthropic", "model": "claude-opus-4-6", "occurred_at": at });
        let cost = book.rate(&event(&fields), &usage(&json!({ "input_text": 200_001 })), None);
        cost.cost.expect("a cost").to_string()
    };
    assert_eq!(opus("2026-03-12T00:00:00Z"), "2.00001");
    assert_eq!(opus("2026-03-13T00:00:00Z"), "1.000005");
}
