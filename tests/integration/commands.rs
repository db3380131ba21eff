//! The commands, as a person runs them.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::events;
use crate::parts::python;
use crate::server::{BINARY, Server, output, tokenmeter};

#[test]
fn the_demo_says_what_its_tables_hold() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("demo");
    let said = output(Command::new(BINARY).args(["demo", "--exit", "--dir"]).arg(&data));
    assert!(said.contains("rows: 2005 priced, 1 unknown_usage, 1 unpriced"), "{said}");
    assert!(said.contains("dead letters: 1 duplicate, 1 invalid_usage"), "{said}");
    let ask = |sql: &str| {
        let text = output(tokenmeter(&data).args(["query", "--format", "json", sql]));
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        answer["rows"].clone()
    };
    for row in ask("SELECT tenant, sum(cost_usd) FROM calls GROUP BY 1").as_array().expect("rows") {
        let line = said.lines().find(|line| line.starts_with(row[0].as_str().unwrap()));
        let line = line.unwrap_or_else(|| panic!("{row} in {said}"));
        assert!(line.ends_with(row[1].as_str().unwrap()), "{line}: {row}");
    }
    let total = ask("SELECT sum(cost_usd) FROM calls")[0][0].as_str().unwrap().to_owned();
    assert!(said.contains(&total), "{total}: {said}");
    let anomalies = ask("SELECT explanation FROM anomalies WHERE revision = 0");
    let explanation = anomalies[0][0].as_str().expect("an anomaly");
    assert!(said.contains("acme spent") && explanation.contains("acme spent"), "{explanation}");
    let log = std::fs::read_to_string(data.join("anomalies.ndjson")).expect("the log");
    let message: Value = serde_json::from_str(log.lines().next().expect("a line")).expect("JSON");
    assert_eq!(message["tenant"], "acme");
    let told = output(tokenmeter(&data).arg("anomalies"));
    assert!(told.contains("acme spent"), "{told}");
    // An independent recount, over the same files by other readers.
    let (events, table) = (data.join("events.ndjson"), data.join("lake/calls"));
    let arguments = [
        events.display().to_string(),
        table.display().to_string(),
        "--without=demo-broken".to_owned(),
    ];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let Some(verdict) = python::script("recount.py", &arguments) {
        assert!(verdict.starts_with("equal: 2007 rows") && verdict.contains(&total), "{verdict}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_500_with_three_bad_ones() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = Server::start(dir.path(), &[]).await;
    let mut batch: Vec<Value> = (0..500).map(distinct).collect();
    batch[7] = json!({"event_id": "no-model", "source": "s", "occurred_at": 1, "provider": "p"});
    batch[123]["occurred_at"] = json!("yesterday");
    batch[499]["usage"] = json!(17);
    let (status, receipt) = server.post("/v1/events", Value::Array(batch).to_string()).await;
    assert_eq!(status, 202, "{receipt}");
    assert_eq!((&receipt["accepted"], &receipt["rejected"]), (&json!(497), &json!(3)));
    let told: Vec<(u64, &str)> = receipt["rejections"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (one["index"].as_u64().unwrap(), one["code"].as_str().unwrap()))
        .collect();
    let expected = [(7, "missing_field"), (123, "invalid_timestamp"), (499, "invalid_field")];
    assert_eq!(told, expected);
    server.wait_for("SELECT count(*) FROM calls", "497", Duration::from_secs(20)).await;
    server.wait_for("SELECT count(*) FROM dead_letters", "3", Duration::from_secs(20)).await;
    let listed = output(tokenmeter(dir.path()).args(["dead-letters", "list"]));
    assert!(listed.contains("invalid_timestamp") && listed.contains("no-model"), "{listed}");
}

fn distinct(number: usize) -> Value {
    json!({"event_id": format!("e-{number}"), "source": "s", "provider": "openai",
        "api": "chat.completions", "model": "gpt-4o-mini", "tenant": format!("t-{}", number % 3),
        "occurred_at": jiff::Timestamp::now().to_string(),
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}})
}

#[test]
fn a_file_is_ingested_once_and_costs_are_grouped_two_ways() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("data");
    let events = events::generated(9, 3_000);
    let unique: std::collections::BTreeSet<&String> = events.iter().collect();
    let file = events::written(dir.path(), &events);
    let first = output(tokenmeter(&data).arg("ingest").arg(&file));
    assert!(first.contains("events: 3000"), "{first}");
    let duplicates = 3_000 - unique.len();
    assert!(first.contains(&format!("dead letters: {duplicates} duplicate")), "{first}");
    let again = output(tokenmeter(&data).arg("ingest").arg(&file));
    assert!(again.contains("rows: none\ndead letters: 3000 duplicate"), "{again}");
    let by_tenant = output(tokenmeter(&data).args(["costs", "--by", "tenant"]));
    let by_both =
        output(tokenmeter(&data).args(["costs", "--by", "provider,model", "--since", "2d"]));
    let total = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("total: "));
        line.unwrap_or_else(|| panic!("no total: {text}")).to_owned()
    };
    assert_eq!(total(&by_tenant), total(&by_both));
    assert!(by_tenant.contains("umbrella") && by_both.contains("gpt-unheard-of"), "{by_both}");
    let wrong = tokenmeter(&data).args(["costs", "--by", "tennant"]).output().expect("it runs");
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(!wrong.status.success() && said.contains("did you mean `tenant`?"), "{said}");
    // The dry run prices the same.
    let metered = output(tokenmeter(&data).arg("meter").arg(&file));
    let mut costs: BTreeMap<String, tokenmeter::money::Usd> = BTreeMap::new();
    for line in metered.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        if let Some(cost) = line["cost_usd"].as_str() {
            let id = line["event_id"].as_str().expect("an id").to_owned();
            costs.insert(id, cost.parse().expect("an amount"));
        }
    }
    let sum =
        costs.values().try_fold(tokenmeter::money::Usd::ZERO, |sum, cost| sum.checked_add(*cost));
    let sum = sum.expect("fits").to_string();
    assert!(total(&by_tenant).contains(&format!(" {sum} USD")), "{sum}: {by_tenant}");
    let explained = output(tokenmeter(&data).args(["prices", "explain", "--event", "9-3"]));
    assert!(
        explained.contains("claude-sonnet-4-5") && explained.contains("stored: "),
        "{explained}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_kill() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = Server::start(dir.path(), &[]).await;
    let batch: Vec<Value> = (0..2_000).map(distinct).collect();
    assert_eq!(server.post("/v1/events", Value::Array(batch).to_string()).await.0, 202);
    server.kill();
    let server = Server::start(dir.path(), &[]).await;
    server.wait_for("SELECT count(*) FROM calls", "2000", Duration::from_secs(30)).await;
    assert_eq!(server.cell("SELECT count(DISTINCT identity_hash) FROM calls").await, "2000");
    server.terminate();
    std::fs::remove_file(dir.path().join("spool.sqlite")).expect("removed");
    let mut serve = tokenmeter(dir.path());
    serve.arg("serve").env("TOKENMETER_API__LISTEN", "127.0.0.1:0");
    let output = serve.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("manifest.toml"), "{said}");
}

#[test]
fn a_reader_that_stops_listening_is_no_fault() {
    let dir = tempfile::tempdir().expect("a folder");
    let book = dir.path().join("book.toml");
    std::fs::write(&book, "").expect("written");
    let book = book.display().to_string();
    let mut child = tokenmeter(dir.path())
        .args(["prices", "diff", "built-in", &book])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the command runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("an end");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{}: {errors}", output.status);
}
