//! Avro through a real registry, by a real client.

use std::time::Duration;

use crate::parts::kafka::Kafka;
use crate::parts::python;
use crate::parts::registry::Registry;
use crate::server::Server;

/// What differs between two events of the same content.
const OWN: [&str; 8] = [
    "event_id",
    "identity_hash",
    "content_hash",
    "source_topic",
    "source_partition",
    "source_offset",
    "source_index",
    "ingested_at",
];

#[tokio::test(flavor = "multi_thread")]
async fn an_avro_event_equals_its_json_twin() {
    let (Some(kafka), Some(registry)) = (Kafka::start(), Registry::start()) else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let settings = [
        ("TOKENMETER_SOURCE__KIND", "kafka"),
        ("TOKENMETER_SOURCE__KAFKA__BROKERS", kafka.plain.as_str()),
        ("TOKENMETER_SOURCE__REGISTRY__URL", registry.url.as_str()),
    ];
    let server = Server::start(&dir.path().join("data"), &settings).await;
    let now = jiff::Timestamp::now();
    let (text, micros) = (now.to_string(), now.as_microsecond().to_string());
    let text = text.get(..26).map_or(text.clone(), |cut| format!("{cut}Z"));
    let arguments = [&kafka.plain, &registry.url, "llm.calls.raw", &text, &micros];
    let arguments = arguments.map(|argument: &str| argument);
    let Some(_) = python::script("avro_twins.py", &arguments) else { return };
    server.wait_for("SELECT count(*) FROM calls", "2", Duration::from_secs(30)).await;
    let columns = server
        .rows("SELECT column_name FROM information_schema.columns WHERE table_name = 'calls'")
        .await;
    let columns: Vec<&str> = columns.iter().map(|row| row[0].as_str().unwrap()).collect();
    assert!(columns.len() > 60, "{columns:?}");
    let compared: Vec<&str> = columns.into_iter().filter(|column| !OWN.contains(column)).collect();
    let sql = format!("SELECT {} FROM calls ORDER BY event_id", compared.join(", "));
    let rows = server.rows(&sql).await;
    for (place, column) in compared.iter().enumerate() {
        assert_eq!(rows[0][place], rows[1][place], "`{column}`");
    }
    assert_eq!(server.cell("SELECT count(cost_usd) FROM calls").await, "2");
}
