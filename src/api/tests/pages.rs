//! Pages of answers: one answer in parts, whatever is committed meanwhile.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access::make;
use super::{Answer, Server};
use crate::api::keys::KeyScope;
use crate::query::tests::lake::{CALLS, TABLE, TestLake, call_row};

async fn house() -> (TestLake, Server, String) {
    let lake = TestLake::full().await;
    let engine = Arc::new(lake.engine());
    let server = Server::with(|state| state.engine = Some(engine)).await;
    let acme = make(&server, &[KeyScope::Query], |key| {
        key.tenants.insert("acme".to_owned());
    });
    let acme = acme.await;
    (lake, server, acme)
}

async fn get(server: &Server, key: &str, path: &str) -> Answer {
    server.get(path, &[("x-api-key", key)]).await
}

fn token(answer: &Answer) -> Option<String> {
    answer.json()["page_token"].as_str().map(str::to_owned)
}

/// All rows, page by page; between pages something is done.
async fn all(server: &Server, key: &str, path: &str, between: impl AsyncFn(usize)) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut next = path.to_owned();
    for page in 0.. {
        assert!(page < 50, "{path} has no end");
        let answer = get(server, key, &next).await;
        assert_eq!(answer.status, 200, "{next}: {}", answer.text());
        let document = answer.json();
        rows.extend(document["rows"].as_array().expect("rows").clone());
        let token = token(&answer);
        assert_eq!(document["has_more"], token.is_some(), "{document}");
        let Some(token) = token else { break };
        assert_eq!(answer.header("x-page-token"), token);
        next = format!("{path}&page_token={token}");
        between(page).await;
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_parts_of_one_answer_whatever_is_committed_meanwhile() {
    let (lake, server, acme) = house().await;
    let commits = std::sync::atomic::AtomicI64::new(100);
    for path in [
        "/v1/costs?group_by=team,model",
        "/v1/costs?group_by=model&interval=hour&time_zone=Asia/Kolkata",
        "/v1/costs?group_by=customer&filter.tenant=acme&from=2026-11-01",
        "/v1/questions/cost_by_team_and_model?from=2026-11-01",
        "/v1/quality?metric=unattributed_columns",
    ] {
        let whole = get(&server, &acme, path).await;
        assert_eq!(whole.status, 200, "{path}: {}", whole.text());
        let whole = whole.json();
        assert_eq!((&whole["has_more"], &whole["page_token"]), (&json!(false), &Value::Null));
        let write = async |page: usize| {
            // A dearer call of another model comes to the top.
            let id = format!("{path} {page}");
            let call = (id.as_str(), "acme", "new", "gpt-6", 1, 9_000_000_000);
            let next = commits.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            lake.write(TABLE, vec![call_row(&call, next)], next).await;
        };
        let paged = all(&server, &acme, &format!("{path}&limit=1"), write).await;
        assert_eq!(Value::Array(paged), whole["rows"], "{path}");
    }
    // And who asks anew sees what is new.
    let new = get(&server, &acme, "/v1/costs?group_by=model").await.json();
    assert_eq!(new["rows"][0][0], "gpt-6", "{new}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_names_the_next_one_in_every_format() {
    let (_lake, server, acme) = house().await;
    let path = "/v1/costs?group_by=model&limit=2";
    let json = get(&server, &acme, path).await;
    let expected = token(&json).expect("another page");
    for format in ["csv", "csv_raw", "arrow", "parquet"] {
        let answer = get(&server, &acme, &format!("{path}&format={format}")).await;
        assert_eq!(answer.header("x-page-token"), expected, "{format}");
        assert_eq!(answer.header("x-truncated"), "true", "{format}");
    }
    let lines = get(&server, &acme, &format!("{path}&format=ndjson")).await.text();
    let last: Value = serde_json::from_str(lines.lines().last().expect("lines")).expect("JSON");
    assert_eq!(last, json!({"has_more": true, "page_token": expected}));
    let rest = get(&server, &acme, &format!("{path}&format=ndjson&page_token={expected}")).await;
    assert_eq!(rest.text().lines().count(), 1, "{}", rest.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_for_its_own_question() {
    let (_lake, server, acme) = house().await;
    let path = "/v1/costs?group_by=model&limit=1";
    let token = token(&get(&server, &acme, path).await).expect("another page");
    let forged = "eyJxIjoiIiwibyI6MSwibiI6MCwidiI6IiJ9";
    for (path, token) in [
        ("/v1/costs?group_by=team", token.as_str()),
        ("/v1/costs?group_by=model&from=2026-11-21", &token),
        ("/v1/questions/cost_by_model?", &token),
        ("/v1/costs?group_by=model", forged),
        ("/v1/costs?group_by=model", "AAAA"),
        ("/v1/costs?group_by=model", ""),
        ("/v1/costs?group_by=model&versions=calls=3", &token),
        ("/v1/costs?group_by=model&versions=nothing=3", ""),
        ("/v1/costs?group_by=model&limit=0", &token),
        ("/v1/costs?group_by=model&limit=many", &token),
    ] {
        let answer = get(&server, &acme, &format!("{path}&page_token={token}")).await;
        answer.is_problem(400, "invalid_request");
    }
    // Another size of pages is no other question, and another key sees its own rows.
    let other = make(&server, &[KeyScope::Query], |key| {
        key.tenants.insert("globex".to_owned());
    });
    let other = other.await;
    let path = "/v1/costs?group_by=tenant,model&limit=1";
    let token = self::token(&get(&server, &acme, path).await).expect("another page");
    let answer = get(&server, &other, &format!("{path}&page_token={token}")).await;
    assert!(!answer.text().contains("acme"), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_question_of_the_same_versions_has_the_same_answer() {
    let (lake, server, acme) = house().await;
    let path = "/v1/costs?group_by=model";
    let first = get(&server, &acme, path).await;
    let versions = first.header("x-table-versions").to_owned();
    assert_eq!(versions, "calls=8");
    lake.write(TABLE, vec![call_row(&CALLS[0], 50)], 50).await;
    let now = get(&server, &acme, path).await;
    assert_ne!(now.bytes, first.bytes);
    let again = get(&server, &acme, &format!("{path}&versions={versions}")).await;
    assert_eq!((again.bytes, again.status), (first.bytes.clone(), first.status));
    let body = json!({"sql": "SELECT count(*) FROM calls", "versions": {"calls": 8}});
    let headers = [("x-api-key", acme.as_str())];
    let counted = server.post("/v1/sql", &headers, &body.to_string()).await;
    assert_eq!(counted.json()["rows"], json!([[4]]), "{}", counted.text());
    for versions in [json!({"calls": 99}), json!({"nothing": 1})] {
        let body = json!({"sql": "SELECT 1 FROM calls", "versions": versions}).to_string();
        server.post("/v1/sql", &headers, &body).await.is_problem(400, "invalid_request");
    }
}
