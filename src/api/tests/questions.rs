//! SQL and costs over HTTP.

use std::sync::Arc;

use serde_json::json;

use super::access::make;
use super::{Answer, Server};
use crate::api::keys::KeyScope;
use crate::query::QueryConfig;
use crate::query::tests::lake::TestLake;

/// A server over a small lake, with the key of an admin and of `acme`.
async fn server(config: QueryConfig) -> (TestLake, Server, String, String) {
    let lake = TestLake::full().await;
    let engine = Arc::new(lake.engine_with(config));
    let server = Server::with(|state| state.engine = Some(engine)).await;
    let admin = make(&server, &[KeyScope::Admin], |_| {}).await;
    let acme = make(&server, &[KeyScope::Query], |key| {
        key.tenants.insert("acme".to_owned());
    });
    let acme = acme.await;
    (lake, server, admin, acme)
}

async fn sql(server: &Server, key: &str, body: serde_json::Value) -> Answer {
    server.post("/v1/sql", &[("x-api-key", key)], &body.to_string()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_is_answered_in_the_wanted_format() {
    let (_lake, server, admin, _) = server(QueryConfig::default()).await;
    let question = "SELECT event_id, cost_usd FROM calls WHERE tenant = $1 ORDER BY 1 LIMIT 1";
    let body = json!({"sql": question, "params": ["globex"]});
    let answer = sql(&server, &admin, body.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["rows"], json!([["e5", "0.00004"]]));
    assert_eq!(answer.json()["truncated"], false);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("x-table-versions"), "calls=8");
    assert!(!answer.header("x-query-id").is_empty() && !answer.header("x-request-id").is_empty());

    let headers = [("x-api-key", admin.as_str()), ("accept", "text/csv")];
    let csv = server.post("/v1/sql", &headers, &body.to_string()).await;
    assert_eq!(csv.text(), "event_id,cost_usd\r\ne5,0.00004\r\n");
    let mut lines = body;
    lines["format"] = json!("ndjson");
    let lines = sql(&server, &admin, lines).await;
    assert_eq!(lines.header("content-type"), "application/x-ndjson");
    assert_eq!(lines.text(), "{\"event_id\":\"e5\",\"cost_usd\":\"0.00004\"}\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn columnar_formats_come_as_files() {
    let (_lake, server, _, acme) = server(QueryConfig::default()).await;
    for (format, media_type, magic) in [
        ("arrow", "application/vnd.apache.arrow.stream", &b"\xff\xff\xff\xff"[..]),
        ("parquet", "application/vnd.apache.parquet", &b"PAR1"[..]),
    ] {
        let body = json!({"sql": "SELECT event_id, cost_usd FROM calls", "format": format});
        let named = sql(&server, &acme, body).await;
        let headers = [("x-api-key", acme.as_str()), ("accept", media_type)];
        let body = json!({"sql": "SELECT event_id, cost_usd FROM calls"}).to_string();
        let accepted = server.post("/v1/sql", &headers, &body).await;
        for answer in [named, accepted] {
            assert_eq!(answer.header("content-type"), media_type);
            assert!(answer.bytes.starts_with(magic), "{format}");
        }
    }
}

/// What was logged, as text.
#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_question_leaves_a_line_in_the_audit_log() {
    let (_lake, server, _, acme) = server(QueryConfig { rows_max: 3, ..Default::default() }).await;
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
    // For all threads: tracing remembers for each place in the code whether any of them listens.
    tracing::subscriber::set_global_default(subscriber).expect("the first one");
    for (statement, format) in [
        ("SELECT event_id FROM calls WHERE team = $1", "json"),
        ("SELECT event_id FROM calls WHERE team = $1 LIMIT 1", "ndjson"),
        ("SELECT event_id FROM calls WHERE team <> $1 OR true", "csv"),
        ("SELECT CAST(event_id AS INT) FROM calls WHERE team = $1", "json"),
        ("DELETE FROM calls", "json"),
    ] {
        let statement = format!("{statement} /* audited */");
        let body = json!({"sql": statement, "params": ["search"], "format": format});
        sql(&server, &acme, body).await;
    }
    let text = String::from_utf8(log.0.lock().expect("no panic").clone()).expect("text");
    let text: String = text
        .lines()
        .filter(|line| line.contains("audited"))
        .map(|line| line.to_owned() + "\n")
        .collect();
    assert!(!text.contains("\"search\"") && !text.contains(&acme), "{text}");
    let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    let lines: Vec<serde_json::Value> =
        lines.filter(|line: &serde_json::Value| line["target"] == "tokenmeter::audit").collect();
    let told: Vec<_> = lines
        .iter()
        .map(|line| {
            let fields = &line["fields"];
            assert_eq!((&fields["owner"], &fields["tenants"]), (&json!("acme"), &json!("acme")));
            assert!(fields["key_id"].as_str().is_some_and(|id| !id.is_empty()));
            assert!(fields["ms"].is_u64() && fields["bytes"].is_u64());
            (fields["rows"].as_u64().expect("a number"), fields["outcome"].clone())
        })
        .collect();
    let outcome = |rows, outcome: &str| (rows, json!(outcome));
    let expected = [
        outcome(2, "ok"),
        outcome(1, "ok"),
        outcome(3, "truncated"),
        outcome(0, "sql_failed"),
        outcome(0, "not_read_only"),
    ];
    assert_eq!(told, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_answered_is_a_problem() {
    let config = QueryConfig { rows_max: 3, ..QueryConfig::default() };
    let (_lake, server, admin, acme) = server(config).await;
    sql(&server, "", json!({"sql": "SELECT 1"})).await.is_problem(401, "unauthenticated");
    for (body, status, code) in [
        (json!({"sql": "DELETE FROM calls"}), 400, "query_refused"),
        (json!({"sql": "SELECT nothing FROM calls"}), 400, "query_refused"),
        (json!({"sql": "SELECT $1", "params": [[1]]}), 400, "invalid_request"),
        (json!({"sq": "SELECT 1"}), 400, "invalid_request"),
        (json!({"sql": "SELECT sum(1 / (source_offset - 1)) FROM calls"}), 422, "query_failed"),
    ] {
        sql(&server, &admin, body).await.is_problem(status, code);
    }
    let secret = sql(&server, &acme, json!({"sql": "SELECT CAST(event_id AS INT) FROM calls"}));
    let secret = secret.await;
    secret.is_problem(422, "query_failed");
    assert_eq!(secret.json()["detail"], "the query failed while it ran");
    let cut = sql(&server, &admin, json!({"sql": "SELECT event_id FROM calls"})).await;
    assert_eq!((cut.header("x-truncated"), cut.status.as_u16()), ("true", 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_sees_its_tenants_rows_only() {
    let (_lake, server, admin, acme) = server(QueryConfig::default()).await;
    let tenants = json!({"sql": "SELECT DISTINCT tenant FROM calls ORDER BY 1"});
    let all = sql(&server, &admin, tenants.clone()).await;
    assert_eq!(all.json()["rows"], json!([["acme"], ["globex"], ["unattributed"]]));
    assert_eq!(sql(&server, &acme, tenants).await.json()["rows"], json!([["acme"]]));
    let control = sql(&server, &acme, json!({"sql": "SELECT * FROM control"})).await;
    control.is_problem(400, "query_refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn costs_are_grouped_and_filtered_by_the_url() {
    let (_lake, server, admin, acme) = server(QueryConfig::default()).await;
    let get = async |path: &str, key: &str| {
        let headers = [("x-api-key", key), ("accept", "text/csv")];
        server.get(path, &headers).await
    };
    let path = "/v1/costs?group_by=team,model&interval=day&from=2026-11-22T00:00:00Z\
                &filter.tenant=acme";
    let answer = get(path, &admin).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        answer.text(),
        "period_start,team,model,calls,priced_calls,unpriced_calls,cost_usd,total_input_tokens,\
         total_output_tokens,unpriced_tokens\r\n\
         2026-11-22T00:00:00Z,chat,claude-5,1,1,0,3.000001,2807,50,\r\n\
         2026-11-22T00:00:00Z,chat,mystery-1,1,0,1,,2907,50,2957\r\n"
    );
    let own = get("/v1/costs?group_by=tenant", &acme).await.text();
    assert!(own.contains("\r\nacme,4,") && !own.contains("globex"), "{own}");
    let wrong = get("/v1/costs?group_by=taem", &admin).await;
    wrong.is_problem(400, "invalid_request");
    assert!(wrong.text().contains("`team`"), "{}", wrong.text());
    get("/v1/costs?interval=week", &admin).await.is_problem(400, "invalid_request");
    get("/v1/costs?form=csv", &admin).await.is_problem(400, "invalid_request");
    assert_eq!(get("/v1/anomalies", &acme).await.status, 200);
}
