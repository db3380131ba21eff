//! Prompts are never stored: a canary in good, malformed, rejected and chunked events is in no file
//! and no log, with debug logs on.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::server::Server;

const CANARY: &str = "CANARY-4f1c9a";

fn files_with_canary(dir: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files_with_canary(&path, found);
            continue;
        }
        let bytes = std::fs::read(&path).expect("a file");
        if bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_is_in_no_file_and_no_log() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("data");
    let logs = [("TOKENMETER_TELEMETRY__LOG", "debug")];
    let server = Server::start(&data, &logs).await;
    let now = jiff::Timestamp::now().to_string();
    let event = |id: &str| {
        json!({"event_id": id, "source": "s", "occurred_at": now, "provider": "openai",
            "api": "chat.completions", "model": "gpt-4o-mini", "prompt": CANARY,
            "messages": [{"role": "user", "content": CANARY}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
                      "text": CANARY, "choices": [{"text": CANARY}]},
            "context": {"base_url": "https://api.openai.com", "system": CANARY}})
    };
    let mut impossible = event("impossible");
    impossible["usage"]["prompt_tokens_details"] = json!({"cached_tokens": 20, "why": CANARY});
    let mut chunked = event("chunked");
    chunked["usage"] = json!([{"id": "r", "delta": CANARY},
        {"id": "r", "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}]);
    let mut malformed = event("malformed");
    malformed["latency_ms"] = json!(CANARY);
    malformed["usage"] = json!(CANARY);
    let mut old = event("old");
    old["occurred_at"] = json!("2020-01-01T00:00:00Z");
    let batch = json!([event("good"), impossible, chunked, malformed, old, CANARY]);
    let (status, receipt) = server.post("/v1/events", batch.to_string()).await;
    assert_eq!(status, 202, "{receipt}");
    assert!(!receipt.to_string().contains(CANARY), "{receipt}");
    let (status, problem) = server.post("/v1/events", format!("{CANARY} is no JSON")).await;
    assert_eq!(status, 400);
    assert!(!problem.to_string().contains(CANARY), "{problem}");
    let (status, _) =
        server.post("/v1/litellm", json!([{"id": "l", "messages": CANARY}]).to_string()).await;
    assert_eq!(status, 202);
    let accounted = "SELECT (SELECT count(*) FROM calls) + (SELECT count(*) FROM dead_letters)";
    server.wait_for(accounted, "7", Duration::from_secs(20)).await;
    assert_eq!(server.cell("SELECT count(*) FROM calls").await, "2");
    let reasons = "SELECT reason FROM dead_letters ORDER BY reason";
    let reasons: Vec<String> =
        server.rows(reasons).await.iter().map(|row| row[0].as_str().unwrap().to_owned()).collect();
    let expected = ["invalid_field", "invalid_json", "invalid_usage", "missing_field", "too_old"];
    assert_eq!(reasons, expected);
    assert!(server.log().contains("DEBUG"), "debug logs are on");
    server.terminate();
    let mut found = Vec::new();
    files_with_canary(&data, &mut found);
    assert!(found.is_empty(), "{found:?}");
}
