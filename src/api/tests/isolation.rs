//! A tenant's answers are the same bytes whether or not other tenants have rows.

use std::sync::Arc;

use serde_json::json;

use super::Server;
use super::access::make;
use crate::api::keys::KeyScope;
use crate::query::QueryConfig;
use crate::query::tests::lake::TestLake;
use crate::query::tests::neighbours::{self, OWN, Others};
use crate::setting::{ByteSize, Span};

const HOSTILE: &str = include_str!("../../query/tests/hostile.sql");
const BENIGN: &str = include_str!("../../query/tests/benign.sql");

/// How long a statement may take, and how long one whose answer is a matter of a moment.
pub const TIMES_MS: [u64; 2] = [1_500, 90_000];

/// A server over a lake, a key of its one tenant, and one that sees all.
struct House {
    server: Server,
    key: String,
    admin: String,
    _lake: TestLake,
}

impl House {
    async fn with(others: Others) -> Self {
        let lake = neighbours::lake(others).await;
        let config = QueryConfig {
            timeout: Span::millis(90_000),
            memory: ByteSize(64 << 20),
            rows_max: 5_000,
            ..QueryConfig::default()
        };
        let engine = Arc::new(lake.engine_with(config));
        let server = Server::with(|state| state.engine = Some(engine)).await;
        let tenants = |key: &mut crate::api::keys::NewKey| {
            key.tenants.insert(OWN.to_owned());
        };
        let admin = make(&server, &[KeyScope::Admin], |_| {}).await;
        let key = make(&server, &[KeyScope::Query], tenants).await;
        Self { server, key, admin, _lake: lake }
    }

    /// Status and body, for the tenant.
    async fn ask(&self, sql: &str, timeout_ms: u64) -> (u16, String) {
        self.ask_as(&self.key, sql, timeout_ms).await
    }

    async fn ask_as(&self, key: &str, sql: &str, timeout_ms: u64) -> (u16, String) {
        let headers = [("x-api-key", key), ("x-request-id", "one")];
        let body = json!({"sql": sql, "timeout_ms": timeout_ms}).to_string();
        let answer = self.server.post("/v1/sql", &headers, &body).await;
        (answer.status.as_u16(), answer.text())
    }
}

fn took_long((_, body): &(u16, String)) -> bool {
    body.contains("the query took longer than")
}

/// The statements of a corpus.
pub fn statements(corpus: &str) -> Vec<String> {
    let code = corpus.lines().filter(|line| !line.starts_with("--"));
    let code = code.collect::<Vec<_>>().join("\n");
    let statements = code.split(";\n").map(|text| text.trim().trim_end_matches(';'));
    let statements = statements.filter(|text| !text.is_empty());
    statements.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_learns_of_others() {
    let alone = House::with(Others::Absent).await;
    let apart = House::with(Others::Apart).await;
    let mixed = House::with(Others::Mixed).await;
    let statements = statements(HOSTILE);
    assert!(statements.len() >= 150, "{}", statements.len());
    let mut leaks = Vec::new();
    for sql in &statements {
        let mut answers = Vec::new();
        for timeout_ms in TIMES_MS {
            answers.clear();
            for house in [&alone, &apart, &mixed] {
                answers.push(house.ask(sql, timeout_ms).await);
            }
            // One that ends near its deadline may miss it here or there: it gets all the time.
            let long = answers.iter().filter(|answer| took_long(answer)).count();
            if long == 0 || long == answers.len() {
                break;
            }
        }
        let [expected, others @ ..] = answers.as_slice() else { unreachable!() };
        for (found, place) in others.iter().zip([Others::Apart, Others::Mixed]) {
            if found != expected {
                leaks.push(format!("{place:?}: {sql}\n  {expected:?}\n  {found:?}"));
            }
            if found.0 == 200 && found.1.contains("globex") && !sql.contains("globex") {
                leaks.push(format!("{place:?}: {sql} names a neighbour\n  {found:?}"));
            }
        }
        assert_ne!(expected.0, 500, "{sql}: {expected:?}");
    }
    assert!(leaks.is_empty(), "{} leaks\n{}", leaks.len(), leaks.join("\n"));
}

/// Columns and rows, without what only who sees all is told.
fn rows(body: &str) -> serde_json::Value {
    let mut document: serde_json::Value = serde_json::from_str(body).expect("JSON");
    document.as_object_mut().expect("an object").remove("versions");
    document
}

#[tokio::test(flavor = "multi_thread")]
async fn every_benign_statement_is_answered_as_over_a_lake_of_ones_own() {
    let alone = House::with(Others::Absent).await;
    let mixed = House::with(Others::Mixed).await;
    let statements = statements(BENIGN);
    assert!(statements.len() >= 130, "{}", statements.len());
    let mut answers = String::new();
    let mut wrong = Vec::new();
    for sql in &statements {
        let (status, body) = mixed.ask(sql, TIMES_MS[1]).await;
        if status != 200 {
            wrong.push(format!("{sql}\n  {body}"));
            continue;
        }
        let found = rows(&body);
        answers += &format!("{sql}\n{}\n\n", found["rows"]);
        // Whoever sees all sees one more table, and reads without a fence.
        let (_, unfenced) = alone.ask_as(&alone.admin, sql, TIMES_MS[1]).await;
        let differs = ["information_schema", "EXPLAIN"].iter().any(|word| sql.contains(word));
        if !differs && found != rows(&unfenced) {
            wrong.push(format!("{sql}\n  {found}\n  {unfenced}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
    insta::assert_snapshot!("benign", answers);
}
