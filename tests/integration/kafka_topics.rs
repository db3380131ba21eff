//! A topic that was deleted and made again: the new one is read from its beginning, also when it
//! has grown past the offset that the old one was read to.

use std::time::Duration;

use serde_json::json;

use crate::kafka_kills::configured;
use crate::parts::kafka::{Kafka, RAW};
use crate::server::Server;

const WITHIN: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_made_again_is_read_from_its_beginning() {
    let Some(kafka) = Kafka::start() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let config = configured(dir.path());
    let settings = [
        ("TOKENMETER_CONFIG", config.as_str()),
        ("TOKENMETER_SOURCE__KIND", "kafka"),
        ("TOKENMETER_SOURCE__KAFKA__BROKERS", kafka.plain.as_str()),
        ("TOKENMETER_SOURCE__KAFKA__PARTITIONS", "1"),
    ];
    let server = Server::start(&dir.path().join("data"), &settings).await;
    kafka.produce(RAW, &calls("old", 5)).await;
    server.wait_for("SELECT count(*) FROM calls", "5", WITHIN).await;
    server.terminate();

    kafka.make_again(RAW).await;
    kafka.produce(RAW, &calls("new", 8)).await;
    let server = Server::start(&dir.path().join("data"), &settings).await;
    server.wait_for("SELECT count(*) FROM calls", "13", WITHIN).await;
    let read = server.rows("SELECT event_id FROM calls WHERE event_id LIKE 'new%'").await;
    assert_eq!(read.len(), 8, "{read:?}");
    assert_eq!(server.cell("SELECT count(*) FROM dead_letters").await, "0");
}

fn calls(name: &str, count: usize) -> Vec<String> {
    let call = |number| {
        json!({"event_id": format!("{name}-{number}"), "source": "s", "provider": "openai",
            "api": "chat.completions", "model": "gpt-4o-mini",
            "occurred_at": jiff::Timestamp::now().to_string(),
            "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}})
        .to_string()
    };
    (0..count).map(call).collect()
}
