//! What is kept of each question: its line in the audit log, and its count.

use std::sync::Arc;

use serde_json::json;

use super::questions::{server, sql};
use crate::query::QueryConfig;

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
    // Terms of a URL are values, too.
    for path in [
        "/v1/costs?group_by=team&filter.customer=hush-hush",
        "/v1/questions/cost_by_day?time_zone=Asia/Tokyo&filter.customer=hush-hush",
        "/v1/questions/hush-hush",
    ] {
        server.get(path, &[("x-api-key", &acme)]).await;
    }
    let whole = String::from_utf8(log.0.lock().expect("no panic").clone()).expect("text");
    assert!(!whole.contains("hush-hush") && !whole.contains(&acme), "{whole}");
    let lines = whole.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    let lines: Vec<serde_json::Value> = lines.collect();
    let key = server.app.state.keys.admit(&acme).expect("a key").key_id;
    let own = lines.iter().filter(|line| line["fields"]["key_id"] == key);
    let statements: Vec<&str> =
        own.clone().filter_map(|line| line["fields"]["statement"].as_str()).collect();
    assert!(statements.ends_with(&["costs", "cost_by_day"]), "{statements:?}");
    for line in own {
        let fields = line["fields"].as_object().expect("fields").keys();
        let fields: Vec<&str> = fields.map(String::as_str).collect();
        let expected = [
            "bytes",
            "key_id",
            "message",
            "ms",
            "outcome",
            "owner",
            "rows",
            "statement",
            "tenants",
        ];
        assert_eq!(fields, expected);
    }
    let text: String = whole
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
    let metrics = server.get("/metrics", &[]).await.text();
    for (outcome, times) in [("ok", 4), ("truncated", 1), ("sql_failed", 1), ("not_read_only", 1)] {
        let labels = format!(r#"{{outcome="{outcome}",protocol="http"}}"#);
        let line = format!("tokenmeter_questions_total{labels} {times}");
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }
    assert!(
        metrics.contains(r#"tokenmeter_question_seconds_count{protocol="http"} 7"#),
        "{metrics}"
    );
}
