//! `revise`: a hundred thousand stored rows at other prices, beside real readers and SIGKILL.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::events;
use crate::parts::python;
use crate::server::{Server, output, tokenmeter};

/// Other prices for a model that is in the built-in book, and one for a model that is not.
const BOOK: &str = r#"
fetched_at = 2026-11-23
effective_from = 2026-01-01
source_text = "made up for the test"

[[model]]
provider = "openai"
name = "gpt-4o-mini"
rates = { input_text = "0.3", cache_read_text = "0.15", output_text = "1.2" }

[[model]]
provider = "openai"
name = "gpt-unheard-of"
rates = { input_text = "1", output_text = "2" }
"#;

const KILLS: u32 = 4;

fn sums(dir: &Path) -> Option<Value> {
    let table = dir.join("lake/calls");
    let told = python::script("table_sums.py", &[table.to_str().expect("UTF-8")])?;
    Some(serde_json::from_str(&told).expect("JSON"))
}

fn revise(dir: &Path, arguments: &[&str]) -> Value {
    let told = output(tokenmeter(dir).args(["revise", "--json"]).args(arguments));
    serde_json::from_str(&told).expect("JSON")
}

fn ids(report: &Value) -> Vec<String> {
    let ids = report["revision_ids"].as_array().expect("ids");
    ids.iter().map(|id| id.as_str().expect("an id").to_owned()).collect()
}

#[test]
fn history_at_other_prices_is_all_or_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    let book = dir.join("book.toml");
    std::fs::write(&book, BOOK).expect("written");
    let prices = ["--prices", book.to_str().expect("UTF-8")];
    let file = events::written(dir, &events::generated(41, 100_000));
    output(tokenmeter(dir).arg("ingest").arg(&file));
    let Some(before) = sums(dir) else { return };

    let began = Instant::now();
    let tried = revise(dir, &prices);
    let took = began.elapsed();
    assert_eq!(tried["applied"], json!(false));
    assert_eq!(tried["rows_read"], before["rows"]);
    assert_eq!(tried["total"]["cost_before"], before["total"]);
    assert!(tried["rows_changed"].as_u64().expect("a count") > 20_000, "{tried}");
    assert!(
        tried["changed"]["unknown_before"].as_u64() > tried["changed"]["unknown_after"].as_u64()
    );
    assert_eq!(sums(dir).as_ref(), Some(&before), "a dry run stores nothing");

    let apply = [prices[0], prices[1], "--apply", "--reason", "new prices"];
    let after = &tried["total"]["cost_after"];
    for kill in 0..KILLS {
        killed_after(dir, &apply, took.mul_f64(0.5 + 0.5 * f64::from(kill)));
        let now = sums(dir).expect("readers");
        assert_eq!(now["rows"], before["rows"]);
        assert!(now == before || now["total"] == *after, "half a revision: {now}");
        if now != before {
            let list = output(tokenmeter(dir).args(["revise", "list"]));
            let id = list.lines().last().and_then(|line| line.split_whitespace().next());
            let id = id.expect("an id").to_owned();
            output(tokenmeter(dir).args(["revise", "rollback", &id, "--reason", "again"]));
            assert_eq!(sums(dir).as_ref(), Some(&before), "rolled back");
        }
    }

    let applied = revise(dir, &apply);
    for field in ["rows_read", "rows_changed", "total", "changed", "groups"] {
        assert_eq!(applied[field], tried[field], "`{field}` as tried");
    }
    let now = sums(dir).expect("readers");
    assert_eq!((&now["total"], &now["rows"]), (after, &before["rows"]));
    let what_if = revise(dir, &["--what-if", "gpt-5=gpt-4o-mini", prices[0], prices[1]]);
    assert!(what_if["total"]["difference"].as_str().expect("text").starts_with('-'), "{what_if}");
    assert_eq!(sums(dir), Some(now), "a what-if stores nothing");
    for id in ids(&applied) {
        output(tokenmeter(dir).args(["revise", "rollback", &id, "--reason", "back"]));
    }
    assert_eq!(sums(dir).as_ref(), Some(&before), "rolled back");
}

/// Starts a revision and kills it with SIGKILL.
fn killed_after(dir: &Path, apply: &[&str], delay: Duration) {
    let mut command = tokenmeter(dir);
    let command = command.arg("revise").args(apply).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    std::thread::sleep(delay);
    child.kill().expect("killed");
    child.wait().expect("ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_revises_over_http() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]).await;
    let body = format!("[{}]", events::generated(5, 50).join(","));
    let (status, answer) = server.post("/v1/events", body).await;
    assert_eq!(status, 202, "{answer}");
    let rows: std::collections::BTreeSet<String> = events::generated(5, 50).into_iter().collect();
    let count = rows.len().to_string();
    server.wait_for("SELECT count(*) FROM calls", &count, Duration::from_secs(20)).await;
    let book = folder.path().join("book.toml");
    std::fs::write(&book, BOOK).expect("written");
    let prices = ["--prices", book.to_str().expect("UTF-8")];
    let tried = output(tokenmeter(folder.path()).arg("revise").args(prices));
    assert!(tried.contains("nothing was stored; `--apply --reason TEXT` does it"), "{tried}");
    let applied =
        revise(folder.path(), &[prices[0], prices[1], "--apply", "--reason", "new prices"]);
    let total = applied["total"]["cost_after"].as_str().expect("text").to_owned();
    let sum = server.cell("SELECT sum(cost_usd) FROM calls").await;
    let digits = |text: &str| text.trim_end_matches('0').to_owned();
    assert_eq!(digits(&sum), digits(&total));
    let list = output(tokenmeter(folder.path()).args(["revise", "list"]));
    assert!(list.contains("new prices") && list.contains("local"), "{list}");
    let [id] = &ids(&applied)[..] else { panic!("{applied}") };
    let said = output(tokenmeter(folder.path()).args(["revise", "rollback", id, "--reason", "b"]));
    assert!(said.contains("rows are as they were before"), "{said}");

    let (status, answer) = server.post("/v1/revisions", r#"{"aply": true}"#).await;
    assert_eq!(status, 400, "{answer}");
    assert!(answer["detail"].as_str().expect("text").contains("aply"), "{answer}");
    let broken = json!({"books": [{"name": "mine.toml", "text": "[[model]]\nprovder = 1"}]});
    let (status, answer) = server.post("/v1/revisions", broken.to_string()).await;
    assert_eq!(status, 400, "{answer}");
    assert!(answer["detail"].as_str().expect("text").contains("mine.toml"), "{answer}");
    let (status, answer) = server.post("/v1/revisions", r#"{"apply": true}"#).await;
    assert_eq!(status, 400, "a reason is needed: {answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn later_events_correct_and_finalize_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let often = [("TOKENMETER_LAKE__MAINTENANCE__CORRECT_EVERY", "200ms")];
    let server = Server::start(folder.path(), &often).await;
    let event = |id: &str, tokens: u64, beside: Value| {
        let mut event = json!({
            "event_id": id, "source": "gateway", "provider": "openai", "api": "chat.completions",
            "occurred_at": jiff::Timestamp::now().as_millisecond(), "model": "gpt-4o-mini",
            "usage": {"prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens},
        });
        for (name, value) in beside.as_object().expect("an object") {
            event[name] = value.clone();
        }
        event
    };
    let send = async |event: Value| {
        let (status, answer) = server.post("/v1/events", event.to_string()).await;
        assert_eq!(status, 202, "{answer}");
    };
    let tokens = async |id: &str, expected: &str| {
        let sql = format!(
            "SELECT max(CAST(input_text_tokens AS VARCHAR) || ' r' || CAST(revision AS VARCHAR)) \
             FROM calls WHERE event_id = '{id}'"
        );
        server.wait_for(&sql, expected, Duration::from_secs(20)).await;
    };
    send(event("wrong", 1_000, json!({}))).await;
    send(event("early", 10, json!({"provisional": true}))).await;
    tokens("wrong", "1000 r0").await;
    tokens("early", "10 r0").await;

    let correction = event("wrong", 2_000, json!({"corrects": true}));
    send(correction.clone()).await;
    tokens("wrong", "2000 r1").await;
    send(event("early", 30, json!({}))).await;
    tokens("early", "30 r1").await;
    send(event("new", 7, json!({"corrects": true}))).await;
    tokens("new", "7 r0").await;

    send(correction).await;
    send(event("early", 40, json!({}))).await;
    let dead =
        "SELECT string_agg(event_id || ' ' || reason, ', ' ORDER BY event_id) FROM dead_letters";
    server.wait_for(dead, "early conflict, wrong duplicate", Duration::from_secs(20)).await;
    tokens("early", "30 r1").await;
    let read = "SELECT (SELECT count(*) FROM calls) + (SELECT count(*) FROM dead_letters) + \
                (SELECT count(*) FROM call_revisions WHERE side = 'correction')";
    assert_eq!(server.cell(read).await, "7", "events read = rows + dead letters + corrections");
}
