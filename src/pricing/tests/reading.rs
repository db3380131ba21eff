//! Book files: what is read, what is refused, with which line and words.

use super::book;
use crate::pricing::{BookError, Layer, PriceBook};

fn refusal(text: &str) -> BookError {
    let layer = Layer::new("mine.toml", text);
    PriceBook::from_layers(&[layer]).expect_err("a refusal")
}

#[test]
fn errors_name_file_line_and_what_was_expected() {
    for (text, line, words) in [
        ("provder = 'openai'", 1, "unknown key `provder`, did you mean `provider`"),
        ("[[model]]\nname = 'x'\nrates = { input_text = '1' }", 1, "`provider` is missing"),
        ("provider = 'p'\n[[model]]\nrates = {}", 2, "`name` is missing"),
        ("provider = 'p'\n[[model]]\nname = 'x'\nrate = {}", 4, "did you mean `rates`"),
        (
            "provider = 'p'\n[[model]]\nname = 'x'\nrates = { input_text = 'free' }",
            4,
            "`input_text` must be an amount such as `\"2.50\"` or `\"10 / 1000\"`",
        ),
        (
            "provider = 'p'\n[[model]]\nname = 'x'\nrates = { input_text = -1 }",
            4,
            "must be an amount",
        ),
        ("observed = 'yesterday'", 1, "`observed` must be a date `2026-11-22` or a time"),
        ("layer = 'lst'", 1, "`layer` must be `list`, `contract` or `override`"),
        ("per = 0", 1, "`per` must be above zero"),
        ("[[model]\n", 1, "unclosed array table"),
        (
            "provider = 'p'\n[[model]]\nname = 'x'\neffective_from = 2026-01-02\n\
             effective_to = 2026-01-01",
            2,
            "`effective_to` must be later than `effective_from`",
        ),
        (
            "provider = 'p'\n[[model]]\nname = 'x'\ncontext = { over = 1 }",
            4,
            "unknown key `over`, did you mean",
        ),
        (
            "provider = 'p'\n[[model]]\nname = 'x'\nhours = { windows = ['9-17'] }",
            4,
            "a window is written `04:00-06:00`",
        ),
        (
            "provider = 'p'\n[[model]]\nname = 'x'\nhours = { windows = [], zone = 'Asia/Tokio' }",
            4,
            "`Asia/Tokio` is not a time zone: write an IANA name such as `Asia/Shanghai`",
        ),
        ("[[fx]]\ncurrency = 'EUR'\nusd_per_unit = '0'", 1, "`usd_per_unit` must be above zero"),
        (
            "provider = 'p'\nlayer = 'override'\n[[model]]\nname = 'x'\n\
             rates = { input_text = '1' }",
            3,
            "an override names its `tenant` or its `deployment`",
        ),
        (
            "provider = 'p'\ntenant = 't'\n[[model]]\nname = 'x'\nrates = { input_text = '1' }",
            3,
            "list prices are everybody's",
        ),
    ] {
        let error = refusal(text);
        assert_eq!(
            (error.layer.as_str(), error.line),
            ("mine.toml", Some(line)),
            "{error}\n{text}"
        );
        assert!(error.message.contains(words), "{error}\nexpected: {words}");
    }
}

#[test]
fn two_prices_for_one_thing_at_one_instant_are_refused() {
    let model = |rest: &str| {
        format!("provider = 'p'\n[[model]]\nname = 'x'\n{rest}\nrates = {{ input_text = '1' }}\n")
    };
    let twice = |first: &str, second: &str| {
        format!("{}[[model]]\nname = 'x'\n{second}\nrates = {{ input_text = '2' }}", model(first))
    };
    for (first, second) in [
        ("", ""),
        ("effective_from = 2026-01-01", "effective_from = 2026-01-01"),
        ("effective_from = 2026-01-01\neffective_to = 2026-03-01", "effective_from = 2026-02-01"),
    ] {
        let error = refusal(&twice(first, second));
        assert!(error.message.contains("has two prices at"), "{error}");
    }
    for (first, second) in [
        ("effective_from = 2026-01-01", "effective_from = 2026-02-01"),
        ("effective_from = 2026-01-01\neffective_to = 2026-02-01", "effective_from = 2026-02-01"),
        ("", "tier = 'batch'"),
        ("", "context = { above = 1000 }"),
        ("", "when = { region = 'eu' }"),
    ] {
        book(&twice(first, second));
    }
}

#[test]
fn two_meanings_of_one_name_are_refused() {
    let alias = "[[alias]]\nprovider = 'p'\nalias = 'a'\ncanonical = 'x'\n";
    let fx = "[[fx]]\ncurrency = 'EUR'\nusd_per_unit = '1.08'\n";
    for (text, line, words) in [
        (alias.repeat(2), 5, "the alias `a` stands for two models at once"),
        (fx.repeat(2), 4, "`EUR` has two exchange rates at once"),
    ] {
        let error = refusal(&text);
        assert_eq!((error.line, error.message.as_str()), (Some(line), words));
    }
    book(&format!(
        "{alias}{alias}effective_from = 2026-01-01\n{fx}{fx}effective_from = 2026-01-01"
    ));
}

#[test]
fn amounts_stay_as_published() {
    let book = book(
        "provider = 'p'\n[[model]]\nname = 'x'\n\
         rates = { input_text = 2.50, audio_seconds = '0.006 / 60', pages = 1 }",
    );
    let mut rows: Vec<_> =
        book.rows().map(|row| (row.unit_class, row.amount, row.per, row.row_kind)).collect();
    rows.sort();
    let row = |unit: &str, amount: &str, per| {
        (Some(unit.to_owned()), Some(amount.to_owned()), Some(per), "price")
    };
    let expected = vec![
        row("audio_seconds", "0.006", 60),
        row("input_text", "2.5", 1_000_000),
        row("pages", "1", 1),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn the_version_is_that_of_the_content() {
    let one =
        "provider = 'p'\n[[model]]\nname = 'x'\nrates = { input_text = '1', output_text = '2' }";
    let same = "# a remark\nprovider = 'p'\n[[model]]\nname = 'x'\nrates.output_text = 2.0\n\
                rates.input_text = 1";
    let other = one.replace("'2'", "'2.1'");
    assert_eq!(book(one).version(), book(same).version());
    assert_ne!(book(one).version(), book(&other).version());
    assert_eq!(book(one).version().len(), 32);
}

#[test]
fn unchanged_files_are_known() {
    let mine = |text: &str| [Layer::new("mine.toml", text)];
    let book = PriceBook::load(&mine("observed = 2026-11-01")).expect("a book");
    assert!(book.is_of(&mine("observed = 2026-11-01")));
    assert!(!book.is_of(&mine("observed = 2026-11-02")) && !book.is_of(&[]));
    assert!(PriceBook::builtin().is_of(&[]));
}

#[test]
fn the_built_in_book_is_sound_and_knows_its_age() {
    let book = PriceBook::builtin();
    assert!(book.rows().count() > 2_000, "{}", book.rows().count());
    let fetched_at = book.fetched_at().expect("a date");
    assert_eq!(book.stale_since(fetched_at.plus_seconds(60 * 86_400)), None);
    assert_eq!(book.stale_since(fetched_at.plus_seconds(60 * 86_400 + 1)), Some(fetched_at));
    assert!(book.rows().all(|row| row.source_url.is_some() && row.fetched_at.is_some()));
    let report = book.check();
    for kind in ["cache_read_above_input", "amount_out_of_range"] {
        assert_eq!(report.count(kind), 0, "{report:?}");
    }
}
