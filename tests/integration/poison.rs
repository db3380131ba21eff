//! Bad events of every class, one among twenty good ones, at every door: none lost, none stopping,
//! no good one rejected.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::parts::kafka::Kafka;
use crate::parts::registry::Registry;
use crate::server::{Server, output, tokenmeter};

/// Good events to each bad one.
const GOOD: usize = 20;
const DEAD: &str = "SELECT reason, count(*) FROM dead_letters GROUP BY reason ORDER BY reason";
const WITHIN: Duration = Duration::from_secs(60);

/// An event that is good unless the changes make it bad.
fn event(id: &str, changes: Value) -> Value {
    let mut event = json!({
        "event_id": id, "source": "poison", "provider": "openai", "api": "chat.completions",
        "model": "gpt-5-mini", "tenant": "acme", "occurred_at": jiff::Timestamp::now().to_string(),
        "usage": {"prompt_tokens": 1000, "completion_tokens": 10, "total_tokens": 1010},
    });
    for (key, value) in changes.as_object().expect("changes") {
        event[key] = value.clone();
    }
    event
}

/// Reason and bytes of every class of bad event that JSON can be. None has a line's end in it.
fn bad(door: &str) -> Vec<(&'static str, Vec<u8>)> {
    let id = |class: &str| format!("{door}-bad-{class}");
    let changed = |class: &str, changes: Value| event(&id(class), changes).to_string().into_bytes();
    let without = |field: &str| {
        let mut event = event(&id("without"), json!({}));
        event.as_object_mut().expect("an object").remove(field);
        event.to_string().into_bytes()
    };
    let usage = |usage: Value| changed("usage", json!({"usage": usage}));
    let at = |days: i64| {
        let at = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
        changed(&format!("at{days}"), json!({"occurred_at": at.to_string()}))
    };
    let good = || event(&id("cut"), json!({})).to_string();
    let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    let deep = good().replace("\"prompt_tokens\":1000", &format!("\"x\":{}", nested(80)));
    let twice = good().replacen('{', "{\"model\":\"gpt-4o\",", 1);
    let mut not_utf8 = good().into_bytes();
    not_utf8[30] = 0xff;
    let tags: BTreeMap<String, &str> = (0..17).map(|n| (format!("t{n}"), "v")).collect();
    let long = "x".repeat(2 << 20);
    vec![
        ("invalid_json", good().as_bytes()[..100].to_vec()),
        ("invalid_json", not_utf8),
        ("invalid_json", good().replace("1000", "NaN").into_bytes()),
        ("duplicate_key", twice.into_bytes()),
        ("too_deep", deep.into_bytes()),
        ("event_too_large", changed("large", json!({"feature": long}))),
        ("missing_field", without("event_id")),
        ("missing_field", without("occurred_at")),
        ("missing_field", changed("null", json!({"model": null}))),
        ("invalid_field", changed("model", json!({"model": 7}))),
        ("invalid_field", changed("attempt", json!({"attempt": "first"}))),
        ("too_many_tags", changed("tags", json!({"tags": tags}))),
        ("invalid_timestamp", changed("time", json!({"occurred_at": "yesterday"}))),
        ("invalid_timestamp", changed("month", json!({"occurred_at": "2026-13-01T00:00:00Z"}))),
        ("invalid_usage", usage(json!({"prompt_tokens": -1, "completion_tokens": 1}))),
        ("invalid_usage", usage(json!({"prompt_tokens": 1.5, "completion_tokens": 1}))),
        ("invalid_usage", usage(json!({"prompt_tokens": 1e30, "completion_tokens": 1}))),
        (
            "invalid_usage",
            usage(json!({"prompt_tokens": 10, "completion_tokens": 1,
                "prompt_tokens_details": {"cached_tokens": 11}})),
        ),
        ("unsupported_dialect", usage(json!({"spent": 12}))),
        ("too_far_in_future", at(1)),
        ("too_old", at(-40)),
        // The very first event; its time is not known here.
        ("duplicate", Vec::new()),
        ("conflict", changed("conflict", json!({"event_id": format!("{door}-1"), "attempt": 2}))),
    ]
}

/// Good events and bad ones, and how many there are of each reason. The repetition repeats the
/// first event to the letter.
fn mixed(door: &str, classes: Vec<(&'static str, Vec<u8>)>) -> (Vec<Vec<u8>>, Reasons) {
    let mut events: Vec<Vec<u8>> = Vec::new();
    let mut reasons = Reasons::new();
    for (reason, bytes) in classes {
        for _ in 0..GOOD {
            let number = events.len();
            events.push(event(&format!("{door}-{number}"), json!({})).to_string().into_bytes());
        }
        events.push(if reason == "duplicate" { events[0].clone() } else { bytes });
        *reasons.entry(reason.to_owned()).or_insert(0) += 1;
    }
    (events, reasons)
}

type Reasons = BTreeMap<String, i64>;

/// Every good event is a row, every bad one a dead letter of its reason; metrics say the same.
async fn check(server: &Server, events: usize, reasons: &Reasons) {
    let bad: i64 = reasons.values().sum();
    let good = i64::try_from(events).expect("few") - bad;
    let dead = "SELECT count(*) FROM dead_letters";
    server.wait_for(dead, &bad.to_string(), WITHIN).await;
    let rows = "SELECT count(*) FROM calls WHERE cost_status = 'priced'";
    server.wait_for(rows, &good.to_string(), WITHIN).await;
    let found = server.rows(DEAD).await.into_iter();
    let found: Reasons = found
        .map(|row| (row[0].as_str().expect("a reason").to_owned(), row[1].as_i64().expect("few")))
        .collect();
    assert_eq!(&found, reasons);
    let metrics = server.get("/metrics").await.expect("metrics");
    for (reason, count) in reasons {
        let line = format!("tokenmeter_dead_letters_total{{reason=\"{reason}\"}} {count}\n");
        assert!(metrics.contains(&line), "{line}{metrics}");
    }
    for line in [
        format!("tokenmeter_events_read_total {events}\n"),
        format!("tokenmeter_freshness_seconds_count {good}\n"),
        "tokenmeter_commits_total{outcome=\"failed\",table=\"calls\"} 0\n".to_owned(),
    ] {
        assert!(metrics.contains(&line), "{line}{metrics}");
    }
    let lag = metrics.lines().filter(|line| line.starts_with("tokenmeter_source_lag{"));
    let lag: Vec<&str> = lag.collect();
    assert!(!lag.is_empty() && lag.iter().all(|line| line.ends_with(" 0")), "{lag:?}");
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_events_over_http_stop_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = Server::start(dir.path(), &[]).await;
    let (events, reasons) = mixed("http", bad("http"));
    for lines in events.chunks(50) {
        let (status, receipt) = server.post("/v1/events", lines.join(&b'\n')).await;
        assert_eq!(status, 202, "{receipt}");
    }
    check(&server, events.len(), &reasons).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_events_of_a_file_stop_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let (path, data) = (dir.path().join("events.ndjson"), dir.path().join("data"));
    // Without `--max-age` a file's events may have any age.
    let (events, reasons) = mixed("file", bad("file"));
    std::fs::write(&path, events.join(&b'\n')).expect("written");
    let mut command = tokenmeter(&data);
    command.arg("ingest").arg(&path).args(["--max-age", "35d"]);
    let said = command.output().expect("it runs");
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert_eq!(said.status.code(), Some(2), "{text}{}", String::from_utf8_lossy(&said.stderr));
    let dead: Vec<String> = reasons.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
    let bad: i64 = reasons.values().sum();
    let rows = i64::try_from(events.len()).expect("few") - bad;
    assert!(text.contains(&format!("rows: {rows} priced\n")), "{text}");
    assert!(text.contains(&format!("dead letters: {}", dead.join(", "))), "{text}");
    let counted = output(tokenmeter(&data).args(["query", "SELECT count(*) FROM calls"]));
    assert!(counted.contains(&rows.to_string()), "{counted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_messages_of_a_topic_stop_nothing() {
    let (Some(kafka), Some(registry)) = (Kafka::start(), Registry::start()) else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let settings = [
        ("TOKENMETER_SOURCE__KIND", "kafka"),
        ("TOKENMETER_SOURCE__KAFKA__BROKERS", kafka.plain.as_str()),
        ("TOKENMETER_SOURCE__KAFKA__PARTITIONS", "1"),
        ("TOKENMETER_SOURCE__REGISTRY__URL", registry.url.as_str()),
        ("TOKENMETER_SOURCE__REGISTRY__UNKNOWN_FOR", "1s"),
    ];
    let server = Server::start(dir.path(), &settings).await;
    let avro = include_str!("../../schemas/call_event.v1.avsc");
    let ours = registry.register("calls", avro).await;
    let other = registry.register("other", "{\"type\": \"string\"}").await;
    // The broker itself takes no message of 2 MiB: one that is too large to be stored.
    let mut classes = bad("kafka");
    classes.retain(|(reason, _)| *reason != "event_too_large");
    let list: Vec<i64> = vec![1_234_567; 60_000];
    let stored = json!({"usage": {"prompt_tokens": 1, "completion_tokens": 1, "list": list}});
    classes.extend([
        ("event_too_large", event("kafka-bad-large", stored).to_string().into_bytes()),
        ("invalid_json", Vec::new()),
        ("invalid_json", b"[]".to_vec()),
        ("invalid_avro", b"\0\0".to_vec()),
        ("unknown_schema", framed(99_999, b"x")),
        ("invalid_avro", framed(ours, b"\xff\xff\xff")),
        ("incompatible_schema", framed(other, b"\x02x")),
    ]);
    let (events, reasons) = mixed("kafka", classes);
    kafka.produce("llm.calls.raw", &events).await;
    check(&server, events.len(), &reasons).await;
}

/// A message in Confluent's framing.
fn framed(id: u32, body: &[u8]) -> Vec<u8> {
    [&[0][..], &id.to_be_bytes(), body].concat()
}
