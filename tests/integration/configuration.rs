//! What an operator writes: wrong fields, price books that change, keys.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::events;
use crate::server::{Server, tokenmeter};

fn refusal(dir: &Path, text: &str) -> String {
    let path = dir.join("tokenmeter.toml");
    std::fs::write(&path, text).expect("written");
    let output =
        tokenmeter(&dir.join("data")).arg("check-config").arg("--config").arg(&path).output();
    let output = output.expect("it runs");
    assert!(!output.status.success(), "`{text}` must be refused");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_unknown_field_is_refused_with_file_line_and_the_nearest_name() {
    let dir = tempfile::tempdir().expect("a folder");
    let said = refusal(dir.path(), "[pipeline]\nflush_rows = 10\n\n[api]\nlissen = \"x\"\n");
    assert!(said.contains("tokenmeter.toml:5"), "{said}");
    assert!(said.contains("did you mean `listen`?"), "{said}");
    let said = refusal(dir.path(), "[pipeline]\nflush_interval = \"soon\"\n");
    assert!(said.contains("tokenmeter.toml:2") && said.contains("`250ms`"), "{said}");
    let said = refusal(dir.path(), "[source.kafka]\nsasl_password = \"${env:NOT_SET_AT_ALL}\"\n");
    assert!(said.contains(":2") && said.contains("NOT_SET_AT_ALL"), "{said}");
    let said = refusal(dir.path(), "[prices]\nbooks = [\"missing.toml\"]\n");
    assert!(said.contains("missing.toml"), "{said}");
}

#[test]
fn a_variable_that_is_wrong_is_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let output = tokenmeter(dir.path())
        .arg("check-config")
        .env("TOKENMETER_PIPELINE__FLUSH_ROW", "10")
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(said.contains("TOKENMETER_PIPELINE__FLUSH_ROW"), "{said}");
    assert!(said.contains("did you mean `flush_rows`?"), "{said}");
}

#[test]
fn an_open_address_without_a_key_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let output = tokenmeter(dir.path())
        .arg("serve")
        .env("TOKENMETER_API__LISTEN", "0.0.0.0:0")
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(said.contains("key"), "{said}");
}

/// A book with one model at a price.
fn book(price: &str) -> String {
    format!(
        r#"provider = "openai"

[[model]]
name = "house-model"
effective_from = 2026-01-01
rates = {{ input_text = "{price}", output_text = "{price}" }}
"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_book_is_loaded_while_running_and_a_broken_one_is_not() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("house.toml");
    std::fs::write(&path, book("1")).expect("written");
    let config = dir.path().join("tokenmeter.toml");
    let text = format!("[prices]\nreload_interval = \"100ms\"\nbooks = [\"{}\"]\n", path.display());
    std::fs::write(&config, text).expect("written");
    let config = config.display().to_string();
    let settings = [("TOKENMETER_CONFIG", config.as_str())];
    let server = Server::start(&dir.path().join("data"), &settings).await;
    let send = async |id: &str| {
        let event = json!({"event_id": id, "source": "s", "provider": "openai",
            "occurred_at": jiff::Timestamp::now().to_string(), "api": "chat.completions",
            "model": "house-model",
            "usage": {"prompt_tokens": 600_000, "completion_tokens": 400_000,
                      "total_tokens": 1_000_000}});
        assert_eq!(server.post("/v1/events", event.to_string()).await.0, 202);
    };
    let cost = |id: &str| format!("SELECT max(cost_usd) FROM calls WHERE event_id = '{id}'");
    let reloads = async |outcome: &str| {
        let none = format!("tokenmeter_price_book_reloads_total{{outcome=\"{outcome}\"}} 0\n");
        loop {
            let metrics = server.get("/metrics").await.expect("metrics");
            if !metrics.contains(&none) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    send("first").await;
    server.wait_for(&cost("first"), "1", Duration::from_secs(20)).await;
    std::fs::write(&path, book("2.5")).expect("written");
    tokio::time::timeout(Duration::from_secs(20), reloads("loaded")).await.expect("a reload");
    send("second").await;
    server.wait_for(&cost("second"), "2.5", Duration::from_secs(20)).await;
    std::fs::write(&path, book("2.5").replace("name = ", "nmae = ")).expect("written");
    tokio::time::timeout(Duration::from_secs(20), reloads("broken")).await.expect("a refusal");
    assert!(server.log().contains("house.toml"), "{}", server.log());
    send("third").await;
    server.wait_for(&cost("third"), "2.5", Duration::from_secs(20)).await;
    assert_eq!(server.cell(&cost("first")).await, "1", "what was priced stays as it was");
    let versions = "SELECT count(DISTINCT price_book_version) FROM prices";
    assert_eq!(server.cell(versions).await, "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_become_columns_and_the_rest_is_unattributed() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = dir.path().join("tokenmeter.toml");
    let text = r#"
[[attribution.senders]]
source = "gateway-eu"
assert = { tenant = "acme" }
[[attribution.rules]]
when = { "tag.app" = "checkout" }
set = { team = "payments" }
copy = { customer = "tag.customer_id" }
"#;
    std::fs::write(&config, text).expect("written");
    let config = config.display().to_string();
    let settings = [("TOKENMETER_CONFIG", config.as_str()), ("TOKENMETER_FIRST_KEY", FIRST_KEY)];
    let server = Server::start(&dir.path().join("data"), &settings).await;
    drop(server.get("/healthz").await.expect("healthy"));
    let (status, _) = server.post("/v1/events", events::generated(5, 1).remove(0)).await;
    assert_eq!(status, 401, "a key is needed now");
    let ask = |path: &str, body: String| {
        let client = reqwest::Client::new();
        let request = client.post(format!("{}{path}", server.url)).bearer_auth(FIRST_KEY);
        request.header("content-type", "application/json").body(body).send()
    };
    let event = |id: &str, source: &str, claim: Option<&str>| {
        json!({"event_id": id, "source": source, "tenant": claim,
            "provider": "openai", "model": "gpt-4o-mini",
            "api": "chat.completions", "occurred_at": jiff::Timestamp::now().to_string(),
            "tags": {"app": "checkout", "customer_id": "c-1"},
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})
    };
    let batch = json!([event("a", "gateway-eu", Some("other")), event("b", "elsewhere", None)]);
    assert_eq!(ask("/v1/events", batch.to_string()).await.expect("an answer").status(), 202);
    let sql = "SELECT tenant, team, customer, tenant_source, claimed_who FROM calls \
               ORDER BY event_id";
    let expected = json!([
        ["acme", "payments", "c-1", "asserted", {"tenant": "other"}],
        ["unattributed", "payments", "c-1", "none", {}]
    ]);
    let mut rows = json!(null);
    for _ in 0..400 {
        let answer = ask("/v1/sql", json!({"sql": sql}).to_string()).await.expect("an answer");
        let answer: serde_json::Value = answer.json().await.expect("JSON");
        rows = answer["rows"].clone();
        if rows == expected {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(rows, expected);
}

const FIRST_KEY: &str = "tm_0123456789abcdef0123456789abcdef0123456789abcdef";
