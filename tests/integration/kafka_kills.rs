//! Events through a real Kafka while the process is killed again and again: none lost, none twice,
//! and every sum equal to a recount in another language.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::events;
use crate::parts::kafka::{Kafka, PASSWORD, RAW, USER};
use crate::parts::{python, s3::S3};
use crate::server::Server;

const KILLS: usize = 10;

/// How many events have come to their end.
pub const ACCOUNTED: &str =
    "SELECT (SELECT count(*) FROM calls) + (SELECT count(*) FROM dead_letters)";

/// Raw topics name no tenant by themselves: their claims count. A killed member of the group is
/// missed soon, so that the next one reads before it is killed too.
const CONFIGURATION: &str = r#"
[[attribution.senders]]
namespace = "kafka"
claims_allowed = true
[source.kafka.properties]
"session.timeout.ms" = "1000"
"heartbeat.interval.ms" = "300"
"#;

/// Starts, kills at a random moment after it has begun to commit, starts again; at the end waits
/// for every event.
async fn survive(
    kafka: &Kafka,
    disk: impl Fn(usize) -> PathBuf,
    settings: &[(&str, &str)],
    events: &[String],
) -> Server {
    let mut random = StdRng::seed_from_u64(11);
    let chunks = events.chunks(events.len().div_ceil(KILLS + 1));
    let mut server = Server::start(&disk(0), settings).await;
    for (number, chunk) in chunks.enumerate() {
        let before = server.cell(ACCOUNTED).await;
        kafka.produce(RAW, chunk).await;
        if number < KILLS {
            let moved = format!("{ACCOUNTED} > {before}");
            server.wait_for(&moved, "true", Duration::from_secs(60)).await;
            let moment = Duration::from_millis(random.random_range(0..1_500));
            tokio::time::sleep(moment).await;
            server.kill();
            server = Server::start(&disk(number + 1), settings).await;
        }
    }
    let expected = events.len().to_string();
    server.wait_for(ACCOUNTED, &expected, Duration::from_secs(180)).await;
    server
}

/// The configuration, in a file.
pub fn configured(dir: &Path) -> String {
    let path = dir.join("tokenmeter.toml");
    std::fs::write(&path, CONFIGURATION).expect("written");
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_kills_lose_and_double_nothing() {
    let Some(kafka) = Kafka::start() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let events = events::generated(1, 100_000);
    let file = events::written(dir.path(), &events);
    let config = configured(dir.path());
    let settings = [
        ("TOKENMETER_CONFIG", config.as_str()),
        ("TOKENMETER_SOURCE__KIND", "kafka"),
        ("TOKENMETER_SOURCE__KAFKA__BROKERS", kafka.plain.as_str()),
    ];
    let server = survive(&kafka, |_| dir.path().join("data"), &settings, &events).await;
    assert_eq!(server.cell("SELECT count(DISTINCT source_partition) FROM calls").await, "6");
    let ours = server.cell("SELECT sum(cost_usd) FROM calls").await;
    let unpriced = server.cell("SELECT count(*) FROM calls WHERE cost_status = 'unpriced'").await;
    assert_ne!(unpriced, "0", "some calls are of a model that nobody knows");
    server.terminate();
    let table = dir.path().join("data/lake/calls").display().to_string();
    let arguments = [file.display().to_string(), table];
    let Some(verdict) = python::script("recount.py", &[&arguments[0], &arguments[1]]) else {
        return;
    };
    assert!(
        verdict.starts_with("equal: ") && verdict.contains(&format!(" {ours} USD")),
        "{verdict} {ours}"
    );
    eprintln!("{verdict}");
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_on_an_object_store_lose_and_double_nothing() {
    let (Some(kafka), Some(s3)) = (Kafka::start(), S3::start()) else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let events = events::generated(2, 20_000);
    let file = events::written(dir.path(), &events);
    let config = configured(dir.path());
    let store = s3.settings();
    let mut settings = vec![
        ("TOKENMETER_CONFIG", config.as_str()),
        ("TOKENMETER_SOURCE__KIND", "kafka"),
        ("TOKENMETER_SOURCE__KAFKA__BROKERS", kafka.plain.as_str()),
        ("TOKENMETER_PIPELINE__FLUSH_INTERVAL", "1s"),
    ];
    settings.extend(store.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    // No disk survives: each start finds an empty one.
    let disk = |start| dir.path().join(format!("disk-{start}"));
    let server = survive(&kafka, disk, &settings, &events).await;
    server.terminate();
    let file = file.display().to_string();
    let mut arguments = vec![file.as_str(), "s3://lake/tokenmeter/calls"];
    let options: Vec<String> =
        store.iter().skip(1).map(|(name, value)| format!("{name}={value}")).collect();
    arguments.extend(options.iter().map(String::as_str));
    let Some(verdict) = python::script("recount.py", &arguments) else { return };
    assert!(verdict.starts_with("equal: "), "{verdict}");
    eprintln!("{verdict}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_and_scram_are_spoken_to_a_real_broker() {
    let Some(kafka) = Kafka::start() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let config = configured(dir.path());
    let ca = kafka.ca.display().to_string();
    let settings = [
        ("TOKENMETER_CONFIG", config.as_str()),
        ("TOKENMETER_SOURCE__KIND", "kafka"),
        ("TOKENMETER_SOURCE__KAFKA__BROKERS", kafka.secure.as_str()),
        ("TOKENMETER_SOURCE__KAFKA__SECURITY_PROTOCOL", "sasl_ssl"),
        ("TOKENMETER_SOURCE__KAFKA__SASL_MECHANISM", "SCRAM-SHA-512"),
        ("TOKENMETER_SOURCE__KAFKA__SASL_USERNAME", USER),
        ("TOKENMETER_SOURCE__KAFKA__SASL_PASSWORD", PASSWORD),
        ("TOKENMETER_SOURCE__KAFKA__SSL_CA_LOCATION", ca.as_str()),
    ];
    let server = Server::start(&dir.path().join("data"), &settings).await;
    let (status, receipt) = server.post("/v1/events", events::generated(3, 1).remove(0)).await;
    assert_eq!((status, receipt["accepted"].as_u64()), (202, Some(1)), "{receipt}");
    server.wait_for("SELECT count(*) FROM calls", "1", Duration::from_secs(30)).await;
    assert!(!server.log().contains(PASSWORD), "the password is in the log");
}
