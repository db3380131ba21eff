//! Dead letters, shown and replayed: each event ends in one place, on its sender's terms.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::server::{Server, output, tokenmeter};

const WITHIN: Duration = Duration::from_secs(30);
/// The letters, and what was told of their replays.
const SETTLED: &str = "SELECT count(*) FILTER (WHERE replayed_at IS NULL) || ' ' || \
    count(*) FILTER (WHERE replayed_at IS NOT NULL) FROM dead_letters";

fn event(id: &str, days_ago: i64, changes: Value) -> Value {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days_ago);
    let mut event = json!({
        "event_id": id, "source": "gateway", "provider": "openai", "api": "chat.completions",
        "model": "gpt-4o-mini", "tenant": "claimed", "occurred_at": at.to_string(),
        "usage": {"prompt_tokens": 1000, "completion_tokens": 10, "total_tokens": 1010},
    });
    for (key, value) in changes.as_object().expect("changes") {
        event[key] = value.clone();
    }
    event
}

fn replay(dir: &Path, key: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = tokenmeter(dir);
    let ran = command
        .env("TOKENMETER_KEY", key)
        .args(["dead-letters", "replay"])
        .args(arguments)
        .output();
    let ran = ran.expect("it runs");
    let said = [ran.stdout, ran.stderr].concat();
    (ran.status.code(), String::from_utf8_lossy(&said).into_owned())
}

fn listed(dir: &Path, arguments: &[&str]) -> String {
    output(tokenmeter(dir).args(["dead-letters", "list"]).args(arguments))
}

/// A key of these terms, made before a server runs.
fn new_key(dir: &Path, terms: &[&str]) -> String {
    let made = output(tokenmeter(dir).args(["keys", "create"]).args(terms));
    let line = made.lines().find(|line| line.split_whitespace().next() == Some("key:"));
    let key = line.and_then(|line| line.split_whitespace().nth(1));
    key.unwrap_or_else(|| panic!("{made}")).to_owned()
}

/// The first column of the line that has this text.
fn letter_of(list: &str, text: &str) -> String {
    let line = list.lines().find(|line| line.contains(text)).unwrap_or_else(|| panic!("{list}"));
    line.split_whitespace().next().expect("a name").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_replayed_once_on_its_senders_terms() {
    let root = tempfile::tempdir().expect("a folder");
    let dir = root.path().join("data");
    let key = new_key(&dir, &["--owner", "gateways", "--tenants", "acme"]);
    let admin = new_key(&dir, &["--owner", "operator", "--scopes", "admin"]);
    let replay = |arguments: &[&str]| replay(&dir, &admin, arguments);
    let server = Server::start(&dir, &[]).await;
    let good = event("good", 0, json!({}));
    let batch = json!([
        event("aged", 40, json!({})),
        event("ancient", 50, json!({})),
        event("no-model", 0, json!({"model": null})),
        good,
        good,
        event("good", 0, json!({"model": "gpt-4o"})),
    ]);
    let client = reqwest::Client::new();
    let posted = client.post(format!("{}/v1/events", server.url)).bearer_auth(&key).json(&batch);
    assert_eq!(posted.send().await.expect("an answer").status().as_u16(), 202);
    server.terminate();

    let list = listed(&dir, &[]);
    assert_eq!(list.lines().count(), 2 + 5, "{list}");
    let (old, no_model) = (letter_of(&list, "aged"), letter_of(&list, "no-model"));
    let shown = output(tokenmeter(&dir).args(["dead-letters", "show", &old]));
    for part in ["too_old", "\"event_id\": \"aged\"", "gateways", "acme"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let (code, said) = replay(&["--all", "--max-age", "90d", "--dry-run"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("would be replayed: 2"), "{said}");
    for part in ["(duplicate)", "(conflict)", "(missing_field)", "--event FILE"] {
        assert!(said.contains(part), "{part}: {said}");
    }

    // Nothing has changed: it is rejected once more, and the letter of that is a new one.
    let (code, said) = replay(&[&old]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("dead letters: 1 too_old"), "{said}");
    let (code, said) = replay(&[&old, "--max-age", "90d"]);
    assert_eq!(code, Some(1), "a letter is replayed once: {said}");
    let (code, said) = replay(&["--reason", "too_old", "--max-age", "90d"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("rows: 2 priced") && said.contains("replayed: 2"), "{said}");
    let (code, said) = replay(&["--reason", "too_old", "--max-age", "90d"]);
    assert!(code == Some(0) && said.contains("replayed: 0"), "{said}");

    // What could not be read comes as a whole, corrected.
    let file = root.path().join("corrected.json");
    std::fs::write(&file, event("no-model", 0, json!({})).to_string()).expect("a file");
    let (code, said) = replay(&[&no_model, "--event", &file.display().to_string()]);
    assert!(code == Some(0) && said.contains("rows: 1 priced"), "{said}");
    std::fs::write(&file, "{\"event_id\": 7}").expect("a file");
    let duplicate = letter_of(&listed(&dir, &[]), "duplicate");
    let (code, said) = replay(&[&duplicate, "--event", &file.display().to_string()]);
    assert!(code == Some(1) && said.contains("invalid_field"), "{said}");

    let list = listed(&dir, &[]);
    assert_eq!(list.lines().count(), 2 + 2, "the duplicate and the conflict are left: {list}");
    assert_eq!(listed(&dir, &["--all"]).lines().count(), 2 + 6);
    let sql = "SELECT event_id, tenant, tenant_source, namespace FROM calls ORDER BY 1";
    let rows = output(tokenmeter(&dir).args(["query", "--format", "csv", sql]));
    let tail = "acme,asserted,gateways";
    let expected = ["aged", "ancient", "good", "no-model"].map(|id| format!("{id},{tail}"));
    assert_eq!(rows.lines().skip(1).collect::<Vec<_>>(), expected);
    let quality = output(tokenmeter(&dir).args(["query", "data_quality", "--format", "ndjson"]));
    let quality: Value = serde_json::from_str(&quality).expect("JSON");
    assert_eq!((&quality["calls"], &quality["dead_letters"]), (&json!(4), &json!(2)));
}

/// A server that is told to die at a crash point, asked to replay everything.
async fn die_while_replaying(dir: &Path, point: &str) {
    let server = Server::start(dir, &[("TOKENMETER_CRASH", point)]).await;
    let body = json!({"max_age": "90d"}).to_string();
    let client = reqwest::Client::new();
    let asked = client.post(format!("{}/v1/dead-letters/replay", server.url)).body(body);
    drop(asked.header("content-type", "application/json").send().await);
    let pid = server.pid().to_string();
    let deadline = std::time::Instant::now() + WITHIN;
    while is_running(&pid) {
        assert!(std::time::Instant::now() < deadline, "it passed {point}: {}", server.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(server);
}

/// Whether a process runs; one that is dead and not waited for does not.
fn is_running(pid: &str) -> bool {
    let state = Command::new("ps").args(["-o", "stat=", "-p", pid]).stderr(Stdio::null()).output();
    let state = String::from_utf8_lossy(&state.expect("ps").stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_dies_half_way_is_told_once_and_counted_once() {
    for point in ["calls.after_asides:1", "calls.committed:1", "flush.begun:1"] {
        let root = tempfile::tempdir().expect("a folder");
        let dir = root.path().join("data");
        let server = Server::start(&dir, &[]).await;
        let batch = json!([event("a", 40, json!({})), event("b", 40, json!({}))]);
        assert_eq!(server.post("/v1/events", batch.to_string()).await.0, 202);
        server.wait_for(SETTLED, "2 0", WITHIN).await;
        server.terminate();
        die_while_replaying(&dir, point).await;
        let server = Server::start(&dir, &[]).await;
        server.wait_for("SELECT count(*) FROM calls", "2", WITHIN).await;
        server.wait_for(SETTLED, "2 2", WITHIN).await;
        let body = json!({"max_age": "90d"}).to_string();
        let (status, report) = server.post("/v1/dead-letters/replay", body).await;
        assert_eq!((status, &report["replayed"]), (200, &json!([])), "{point}: {report}");
        // Something later is committed: nothing else of the replay was still to come.
        let later = event("later", 0, json!({}));
        assert_eq!(server.post("/v1/events", later.to_string()).await.0, 202);
        server.wait_for("SELECT count(*) FROM calls", "3", WITHIN).await;
        assert_eq!(server.cell(SETTLED).await, "2 2", "{point}");
        server.terminate();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replays_at_once_count_once() {
    let root = tempfile::tempdir().expect("a folder");
    let settings = [("TOKENMETER_PIPELINE__FLUSH_INTERVAL", "3s")];
    let server = Server::start(&root.path().join("data"), &settings).await;
    let batch: Vec<Value> = (0..50).map(|n| event(&format!("e{n}"), 40, json!({}))).collect();
    assert_eq!(server.post("/v1/events", json!(batch).to_string()).await.0, 202);
    server.wait_for(SETTLED, "50 0", WITHIN).await;
    let body = json!({"max_age": "90d"}).to_string();
    let ask = || server.post("/v1/dead-letters/replay", body.clone());
    let (first, second) = tokio::join!(ask(), ask());
    let count = |report: &Value| report["replayed"].as_array().map_or(0, Vec::len);
    assert_eq!(count(&first.1) + count(&second.1), 50, "{} {}", first.1, second.1);
    server.wait_for("SELECT count(*) FROM calls", "50", WITHIN).await;
    assert_eq!(server.cell(SETTLED).await, "50 50");
    server.terminate();
}
