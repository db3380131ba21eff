//! Queries in worker processes: what exhausts memory or time ends its worker, and nothing else.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{Server, output, tokenmeter};

const WITHIN: Duration = Duration::from_secs(60);

/// Statements that want more memory than a worker may have.
const LARGE: [&str; 5] = [
    "SELECT length(repeat('A', 2147483647))",
    "SELECT length(lpad('x', 2147483647, 'y') || rpad('x', 2147483647, 'y'))",
    "SELECT array_length(array_repeat('AAAAAAAAAAAAAAAA', 2147483647))",
    "SELECT array_length(array_resize(make_array(1), 2147483647, 1))",
    "SELECT array_agg(a.event_id || b.event_id || c.event_id || d.event_id) \
        FROM calls a, calls b, calls c, calls d",
];
/// Statements that want more time than anybody has.
const LONG: [&str; 3] = [
    "SELECT count(*) FROM calls a, calls b, calls c, calls d, calls e \
        WHERE a.cost_usd + e.cost_usd > 99999",
    "SELECT sum(length(a.event_id || b.event_id || c.event_id)) \
        FROM calls a, calls b, calls c, calls d",
    "SELECT count(*) FROM generate_series(1, 100000000000) a(n) WHERE n % 7 = 8",
];

async fn start(dir: &Path) -> Server {
    let settings = [("TOKENMETER_QUERY__WORKER_MEMORY", "700MiB")];
    let server = Server::start(dir, &settings).await;
    send(&server, 0..300).await;
    server.wait_for("SELECT count(*) FROM calls", "300", WITHIN).await;
    server
}

async fn send(server: &Server, numbers: std::ops::Range<u32>) {
    let events: Vec<Value> = numbers
        .map(|number| {
            json!({"event_id": format!("w-{number}"), "source": "s", "provider": "openai",
                "api": "chat.completions", "model": "gpt-4o-mini", "tenant": "acme",
                "occurred_at": jiff::Timestamp::now().to_string(),
                "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}})
        })
        .collect();
    let (status, answer) = server.post("/v1/events", json!(events).to_string()).await;
    assert_eq!(status, 202, "{answer}");
}

/// The processes that a server has started.
fn children(server: &Server) -> Vec<String> {
    let pid = server.pid().to_string();
    let found = Command::new("ps").args(["-o", "pid=", "--ppid", &pid]).output().expect("ps");
    let found = String::from_utf8_lossy(&found.stdout).into_owned();
    found.split_whitespace().map(str::to_owned).collect()
}

async fn ask(server: &Server, sql: &str, timeout_ms: u32) -> (u16, Value) {
    let body = json!({"sql": sql, "timeout_ms": timeout_ms}).to_string();
    server.post("/v1/sql", body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_wants_too_much_ends_its_worker_and_nothing_else() {
    let root = tempfile::tempdir().expect("a folder");
    let server = start(&root.path().join("data")).await;
    for sql in LARGE {
        let (status, answer) = ask(&server, sql, 30_000).await;
        assert_eq!(status, 422, "{sql}: {answer}");
        assert_eq!(answer["code"], "query_limit", "{sql}: {answer}");
        assert_eq!(server.cell("SELECT count(*) FROM calls").await, "300", "after {sql}");
    }
    for sql in LONG {
        let began = Instant::now();
        let (status, answer) = ask(&server, sql, 1_500).await;
        println!("a limit of 1500 ms: {} ms: {sql}", began.elapsed().as_millis());
        assert_eq!(status, 422, "{sql}: {answer}");
        let detail = answer["detail"].as_str().expect("a detail");
        assert!(detail.contains("1500 ms"), "{sql}: {answer}");
    }
    // What was needed for the dates between two others is there.
    let series = "SELECT count(*) FROM generate_series(1, 365)";
    assert_eq!(server.cell(series).await, "365");
    let log = server.log();
    assert!(!log.contains("panicked"), "{log}");
    server.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_taken_while_every_worker_is_busy() {
    let root = tempfile::tempdir().expect("a folder");
    let server = start(&root.path().join("data")).await;
    let bombs = futures::future::join_all((0..8).map(|_| ask(&server, LONG[0], 6_000)));
    let sending = async {
        for batch in 0..20_u32 {
            send(&server, 300 + batch * 50..350 + batch * 50).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let (answers, ()) = tokio::join!(bombs, sending);
    assert!(answers.iter().all(|(status, _)| *status == 422), "{answers:?}");
    server.wait_for("SELECT count(*) FROM calls", "1300", WITHIN).await;
    server.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_asker_finds_a_worker() {
    let root = tempfile::tempdir().expect("a folder");
    let dir = root.path().join("data");
    let key = |owner: &str| {
        let made = output(tokenmeter(&dir).args([
            "keys",
            "create",
            "--owner",
            owner,
            "--scopes",
            "query",
            "--tenants",
            "acme",
        ]));
        let line = made.lines().find_map(|line| line.strip_prefix("key: ").map(str::to_owned));
        line.expect("a key")
    };
    let (greedy, other) = (key("greedy"), key("other"));
    let server = Server::start(&dir, &[]).await;
    let client = reqwest::Client::new();
    let ask = |key: &str, sql: &str, timeout_ms: u32| {
        let body = json!({"sql": sql, "timeout_ms": timeout_ms});
        client.post(format!("{}/v1/sql", server.url)).bearer_auth(key).json(&body).send()
    };
    let endless = "SELECT count(*) FROM generate_series(1, 100000000000) a(n) WHERE n % 7 = 8";
    let bombs = futures::future::join_all((0..8).map(|_| ask(&greedy, endless, 8_000)));
    let asking = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        ask(&other, "SELECT count(*) FROM calls", 6_000).await.expect("an answer").status()
    };
    let (bombs, status) = tokio::join!(bombs, asking);
    assert_eq!(status.as_u16(), 200, "half of the workers are for others");
    assert!(bombs.into_iter().all(|bomb| bomb.expect("an answer").status().as_u16() == 422));
    server.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_cancelled_by_its_id() {
    let root = tempfile::tempdir().expect("a folder");
    let server = start(&root.path().join("data")).await;
    let id = "6f1c1f0e-5a0e-4b1f-8a63-6f8f3c7f3d11";
    let client = reqwest::Client::new();
    let asked = client
        .post(format!("{}/v1/sql", server.url))
        .header("x-query-id", id)
        .json(&json!({"sql": LONG[0], "timeout_ms": 50_000}))
        .send();
    let cancelling = async {
        let deadline = Instant::now() + WITHIN;
        while !server.get("/v1/queries").await.expect("a list").contains(id) {
            assert!(Instant::now() < deadline, "it is not listed");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        client.delete(format!("{}/v1/queries/{id}", server.url)).send().await.expect("an answer")
    };
    let (answer, cancelled) = tokio::join!(asked, cancelling);
    assert_eq!(cancelled.status().as_u16(), 204);
    let answer = answer.expect("an answer");
    assert_eq!(answer.status().as_u16(), 409);
    let problem: Value = answer.json().await.expect("a problem");
    assert_eq!(problem["code"], "query_cancelled", "{problem}");
    assert_eq!(server.get("/v1/queries").await.expect("a list"), "[]");
    let again = client.delete(format!("{}/v1/queries/{id}", server.url)).send().await;
    assert_eq!(again.expect("an answer").status().as_u16(), 404);
    assert!(server.log().contains("outcome=\"cancelled\""), "the audit log says so");
    server.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_is_replaced_and_none_outlives_its_server() {
    let root = tempfile::tempdir().expect("a folder");
    let dir = root.path().join("data");
    let server = start(&dir).await;
    let workers = children(&server);
    assert!(!workers.is_empty(), "queries run in processes of their own");
    for pid in &workers {
        assert!(Command::new("kill").args(["-9", pid]).status().expect("kill").success());
    }
    assert_eq!(server.cell("SELECT count(*) FROM calls").await, "300");
    let workers = children(&server);
    server.kill();
    let deadline = Instant::now() + WITHIN;
    let alive = |pid: &String| Path::new("/proc").join(pid).exists();
    while workers.iter().any(alive) {
        assert!(Instant::now() < deadline, "{workers:?} go on without their server");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // What they left is deleted by the next server.
    std::fs::create_dir_all(dir.join("spill/left-behind")).expect("a folder");
    let server = Server::start(&dir, &[]).await;
    assert_eq!(server.cell("SELECT count(*) FROM calls").await, "300");
    assert!(!dir.join("spill/left-behind").exists());
    server.terminate();
}
