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

/// A server over a lake, and a key of its one tenant.
struct House {
    server: Server,
    key: String,
    _lake: TestLake,
}

impl House {
    async fn with(others: Others) -> Self {
        let lake = neighbours::lake(others).await;
        let config = QueryConfig {
            timeout: Span::millis(1_500),
            memory: ByteSize(64 << 20),
            rows_max: 5_000,
            ..QueryConfig::default()
        };
        let engine = Arc::new(lake.engine_with(config));
        let server = Server::with(|state| state.engine = Some(engine)).await;
        let tenants = |key: &mut crate::api::keys::NewKey| {
            key.tenants.insert(OWN.to_owned());
        };
        let key = make(&server, &[KeyScope::Query], tenants).await;
        Self { server, key, _lake: lake }
    }

    /// Status and body.
    async fn ask(&self, sql: &str) -> (u16, String) {
        let headers = [("x-api-key", self.key.as_str()), ("x-request-id", "one")];
        let body = json!({ "sql": sql }).to_string();
        let answer = self.server.post("/v1/sql", &headers, &body).await;
        (answer.status.as_u16(), answer.text())
    }
}

/// The statements of a corpus.
pub fn statements(corpus: &str) -> Vec<String> {
    let code = corpus.lines().filter(|line| !line.starts_with("--"));
    let code = code.collect::<Vec<_>>().join("\n");
    let statements = code.split(";\n").map(str::trim).filter(|text| !text.is_empty());
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
        let expected = alone.ask(sql).await;
        for (house, place) in [(&apart, Others::Apart), (&mixed, Others::Mixed)] {
            let found = house.ask(sql).await;
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
