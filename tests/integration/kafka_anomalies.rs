//! An anomaly in events that come by Kafka: a row in the table and a message on its topic.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::kafka_kills::{ACCOUNTED, configured};
use crate::parts::kafka::{Kafka, RAW};
use crate::server::{BINARY, Server, output};

const ANOMALIES: &str = "llm.cost.anomalies";

#[tokio::test(flavor = "multi_thread")]
async fn it_is_a_row_and_a_message() {
    let Some(kafka) = Kafka::start() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let demo = dir.path().join("demo");
    output(Command::new(BINARY).args(["demo", "--exit", "--dir"]).arg(&demo));
    let events = std::fs::read_to_string(demo.join("events.ndjson")).expect("the demo's events");
    let events: Vec<String> = events.lines().map(str::to_owned).collect();
    let config = configured(dir.path());
    // One partition: its order is that of the events, so that hours close one after the other.
    let settings = [
        ("TOKENMETER_CONFIG", config.as_str()),
        ("TOKENMETER_SOURCE__KIND", "kafka"),
        ("TOKENMETER_SOURCE__KAFKA__BROKERS", kafka.plain.as_str()),
        ("TOKENMETER_SOURCE__KAFKA__PARTITIONS", "1"),
        ("TOKENMETER_ALERT__INTERVAL", "500ms"),
    ];
    let server = Server::start(&dir.path().join("data"), &settings).await;
    kafka.produce(RAW, &events).await;
    server.wait_for(ACCOUNTED, &events.len().to_string(), Duration::from_secs(60)).await;
    let found = "SELECT count(*) > 0 FROM anomalies WHERE tenant = 'acme' AND scope = 'tenant'";
    server.wait_for(found, "true", Duration::from_secs(60)).await;
    let (key, message) = kafka.first(ANOMALIES, 0, Duration::from_secs(30)).await;
    let message: Value = serde_json::from_str(&message).expect("JSON");
    assert_eq!((&message["tenant"], &message["anomaly_id"]), (&"acme".into(), &key.into()));
    let stored = server
        .rows(&format!(
            "SELECT actual_usd, expected_usd, explanation FROM anomalies \
             WHERE anomaly_id = {} AND revision = {}",
            message["anomaly_id"].to_string().replace('"', "'"),
            message["revision"],
        ))
        .await;
    let told = ["actual_usd", "expected_usd", "explanation"].map(|field| message[field].clone());
    assert_eq!(stored, [told.to_vec()]);
    let listed = server.get("/v1/anomalies").await.expect("an answer");
    assert!(listed.contains("acme spent"), "{listed}");
}
