//! `prices`: import, diff, coverage and explain, as a person types them.

use std::path::Path;

use serde_json::{Value, json};

use crate::events;
use crate::server::{output, tokenmeter};

const MAP: &str = r#"[{ "id": "openai", "pricing_urls": ["https://example.com/pricing"], "models": [
    { "id": "m", "match": { "equals": "m" }, "prices": { "input_mtok": 2.5, "output_mtok": 10 } }
] }]"#;

fn event(id: &str, model: &str, tokens: u64) -> String {
    let usage = json!({ "prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens });
    let event = json!({
        "event_id": id, "source": "test", "occurred_at": "2026-11-22T12:00:00Z",
        "provider": "openai", "api": "chat.completions", "model": model, "usage": usage,
    });
    event.to_string()
}

fn imported(dir: &Path, name: &str, map: &str) -> String {
    let (file, book) = (dir.join("map.json"), dir.join(name));
    std::fs::write(&file, map).expect("written");
    let mut import = tokenmeter(dir);
    import.args(["prices", "import", "genai-prices"]).arg(&file);
    let said = output(import.args(["--effective-from", "2026-11-01", "-o"]).arg(&book));
    assert!(said.contains("2 rows of 1 models"), "{said}");
    book.to_str().expect("UTF-8").to_owned()
}

#[test]
fn books_are_imported_compared_and_asked_what_they_cover() {
    let dir = tempfile::tempdir().expect("a folder");
    let old = imported(dir.path(), "old.toml", MAP);
    let new = imported(dir.path(), "new.toml", &MAP.replace("2.5", "2"));
    let prices = |args: &[&str]| output(tokenmeter(dir.path()).arg("prices").args(args));

    let diff = prices(&["diff", &old, &new]);
    let change = "openai m input_text: 2.5 USD per 1000000 -> 2 USD per 1000000 (-20 %)";
    assert!(diff.contains(change) && diff.contains("1 changed, 0 added, 0 removed"), "{diff}");
    let diff: Value = serde_json::from_str(&prices(&["diff", &old, &new, "--json"])).expect("JSON");
    assert_eq!((&diff[0]["new"]["amount"], &diff[0]["percent"]), (&json!("2"), &json!("-20")));

    let lines = [event("e-1", "m", 900), event("e-2", "m-unheard-of", 100)];
    let file = events::written(dir.path(), &lines);
    let file = file.to_str().expect("UTF-8");
    let coverage = prices(&["coverage", file, "--prices", &old]);
    let share = "1 of 2 calls have no price (50.00 %), 100 of 1000 tokens (10.00 %)";
    assert!(coverage.contains(share) && coverage.contains("m-unheard-of"), "{coverage}");
    let coverage = prices(&["coverage", file, "--prices", &old, "--json"]);
    let coverage: Value = serde_json::from_str(&coverage).expect("JSON");
    assert_eq!(coverage["unpriced_percent_of_tokens"], "10.00");

    let explained = prices(&["explain", "--event", "e-1", "--file", file, "--prices", &old]);
    for words in [
        "900 x 2.5 USD per 1000000 = 0.00225 USD",
        "undated, observed 2026-11-01",
        "https://example.com/pricing",
        "= 0.00225 USD, exact, priced",
    ] {
        assert!(explained.contains(words), "`{words}` in {explained}");
    }
}
