//! A lake of its own with its doors: how it is set up, and what must hold of it after every trial.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::ledger::{Ledger, Sums};
use crate::load::{Address, Load, Pace, Topic, over_http, over_kafka};
use crate::meter::Meter;
use crate::parts::kafka::Kafka;
use crate::parts::s3::{BUCKET, S3};

/// Small batches and restless maintenance, so that every step is passed often.
const RESTLESS: &str = r#"
[pipeline]
flush_interval = "50ms"
max_age = "9000h"
[lake.maintenance]
look_every = "200ms"
small_files_max = 4
merge_every = "1s"
checkpoint_every = 10
correct_every = "200ms"
keep_files = "15s"
clean_every = "1s"
[prices]
reload_interval = "200ms"
[alert]
interval = "1s"
close_after = "1s"
"#;

/// As in production, but that corrections and merges come sooner.
const STEADY: &str = r#"
[lake.maintenance]
small_files_max = 32
merge_every = "20s"
correct_every = "5s"
"#;

/// Raw topics name no tenant by themselves: their claims count. A member that is gone is missed
/// soon.
const KAFKA: &str = r#"
[[attribution.senders]]
namespace = "kafka"
claims_allowed = true
[source.kafka.properties]
"session.timeout.ms" = "1500"
"heartbeat.interval.ms" = "300"
"#;

/// How long the tables may take to hold everything once a process is ready.
const COMPLETE_WITHIN: Duration = Duration::from_secs(180);

const SUMS: &str =
    "SELECT tenant, count(*), sum(cost_usd), count(DISTINCT event_id) FROM calls GROUP BY tenant";
const IDENTITIES: &str =
    "SELECT count(*), count(DISTINCT event_id), count(DISTINCT identity_hash) FROM calls";
const TOO_EARLY: &str = "SELECT count(DISTINCT event_id) FROM dead_letters \
     WHERE reason <> 'duplicate' AND reason <> 'conflict'";
const DEAD_TWICE: &str = "SELECT count(*) FROM (SELECT 1 FROM dead_letters GROUP BY source_topic, \
     source_partition, source_offset, source_index HAVING count(*) > 1)";
/// Every offset that was read has left a trace: a row, a dead letter, or the side of a revision.
const OFFSETS: &str = "SELECT t, p, count(*), min(o), max(o) FROM (\
     SELECT source_topic t, source_partition p, source_offset o FROM calls UNION \
     SELECT source_topic, source_partition, source_offset FROM dead_letters UNION \
     SELECT source_topic, source_partition, source_offset FROM call_revisions) GROUP BY t, p";

/// One lake, and what was sent to it.
pub struct World {
    pub dir: tempfile::TempDir,
    pub settings: Vec<(String, String)>,
    pub address: Address,
    /// Where events come over Kafka, too.
    topic: Option<Topic>,
    http: Ledger,
    produced: Ledger,
}

/// What comes in while something happens.
pub struct Traffic {
    http: Load,
    kafka: Option<Load>,
}

impl Traffic {
    /// No batch begins any more.
    pub fn end(&self) {
        self.http.end();
        self.kafka.iter().for_each(Load::end);
    }
}

impl World {
    /// A world behind the embedded log, or behind Kafka; `restless` maintenance passes every point.
    pub fn new(kafka: Option<&Kafka>, restless: bool) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let mut text = if restless { RESTLESS.to_owned() } else { STEADY.to_owned() };
        let began_ms = jiff::Timestamp::now().as_millisecond();
        let (raw, accepted) = (format!("raw-{began_ms}"), format!("accepted-{began_ms}"));
        if kafka.is_some() {
            text.push_str(KAFKA);
        }
        let book = dir.path().join("book.toml");
        rewrite_book(&book, 0);
        let path = dir.path().join("tokenmeter.toml");
        std::fs::write(&path, text).expect("written");
        let lake = dir.path().join("lake").display().to_string();
        let mut settings = vec![
            ("TOKENMETER_CONFIG", path.display().to_string()),
            ("TOKENMETER_LAKE__URL", lake),
            ("TOKENMETER_PRICES__BOOKS", format!("[\"{}\"]", book.display())),
        ];
        if let Some(kafka) = kafka {
            let topics = format!("[{{topic = \"{raw}\", namespace = \"kafka\"}}]");
            settings.extend([
                ("TOKENMETER_SOURCE__KIND", "kafka".to_owned()),
                ("TOKENMETER_SOURCE__KAFKA__BROKERS", kafka.plain.clone()),
                ("TOKENMETER_SOURCE__KAFKA__GROUP", raw.clone()),
                ("TOKENMETER_SOURCE__KAFKA__RAW_TOPICS", topics),
                ("TOKENMETER_SOURCE__KAFKA__ACCEPTED_TOPIC", accepted),
            ]);
        }
        let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value));
        Self {
            settings: settings.collect(),
            dir,
            address: Arc::new(Mutex::new(String::new())),
            topic: kafka.map(|kafka| Topic::new(&kafka.plain, &raw)),
            http: Ledger::new("http", began_ms, !restless),
            produced: Ledger::new("kafka", began_ms, !restless),
        }
    }

    /// The lake is on an object store, in a place of its own.
    pub fn store_in(&mut self, s3: &S3) {
        self.settings.extend(s3.settings());
        let place = format!("s3://{BUCKET}/{}", uuid::Uuid::new_v4());
        self.settings.retain(|(name, _)| name != "TOKENMETER_LAKE__URL");
        self.settings.push(("TOKENMETER_LAKE__URL".to_owned(), place));
    }

    /// Starts a process with a data directory of its own: the first is number 0.
    pub fn spawn(&self, number: usize, crash: Option<&str>) -> Meter {
        let dir = self.dir.path().join(format!("data-{number}"));
        Meter::spawn(&dir, &self.settings, crash)
    }

    /// Starts one that must live, and directs HTTP to it.
    pub async fn start(&self, number: usize) -> Meter {
        let mut meter = self.spawn(number, None);
        assert!(meter.ready().await, "it died: {}", meter.tail());
        self.direct_to(&meter);
        meter
    }

    /// HTTP goes to that process from now on.
    pub fn direct_to(&self, meter: &Meter) {
        self.address.lock().expect("an address").clone_from(&meter.url);
    }

    /// Starts sending at all doors.
    pub fn send(&self, pace: Pace) -> Traffic {
        let http = over_http(self.http.clone(), self.address.clone(), pace);
        let kafka = self.topic.clone();
        let kafka = kafka.map(|topic| over_kafka(self.produced.clone(), topic, pace));
        Traffic { http, kafka }
    }

    /// Stops sending once all that was begun is acknowledged.
    pub async fn settle(&mut self, traffic: Traffic) {
        if let Some(kafka) = traffic.kafka {
            self.produced = kafka.stop().await;
        }
        self.http = traffic.http.stop().await;
    }

    /// Sends one more batch at each door: what is fresh must become visible, too.
    pub async fn send_fresh(&mut self) {
        let pace = Pace { events: 10, pause: Duration::ZERO };
        let traffic = self.send(pace);
        self.settle(traffic).await;
    }

    /// Another text in the price book, with the same prices for what is sent.
    pub fn change_book(&self, number: u64) {
        rewrite_book(&self.dir.path().join("book.toml"), number);
    }

    pub fn sent(&self) -> u64 {
        self.http.sent + self.produced.sent
    }

    fn expected(&self) -> Sums {
        let mut sums = Sums::new();
        self.http.add_to(&mut sums);
        self.produced.add_to(&mut sums);
        sums
    }

    /// Waits until every event is where it belongs, and checks all that must hold. Says how long
    /// it took.
    ///
    /// # Panics
    /// When anything is lost, twice, or wrong.
    pub async fn check(&self, meter: &mut Meter) -> Duration {
        let (began, expected) = (Instant::now(), self.expected());
        loop {
            let found = sums(meter).await;
            if found.as_ref() == Some(&expected) {
                break;
            }
            let late = began.elapsed() > COMPLETE_WITHIN;
            let wrong = format!("{found:?}\nnot {expected:?}\n{}", meter.tail());
            assert!(!late && meter.is_alive(), "{wrong}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let took = began.elapsed();
        let events: u64 = expected.values().map(|(events, _)| events).sum();
        let events = i64::try_from(events).expect("few");
        assert_eq!(whole(meter, IDENTITIES).await, [[events; 3]], "identities");
        let early = self.http.too_early() + self.produced.too_early();
        assert_eq!(whole(meter, TOO_EARLY).await, [[i64::try_from(early).expect("few")]], "dead");
        assert_eq!(whole(meter, DEAD_TWICE).await, [[0]], "a dead letter is there twice");
        self.check_offsets(meter).await;
        assert!(!meter.log().contains("panicked"), "a panic: {}", meter.log());
        took
    }

    async fn check_offsets(&self, meter: &Meter) {
        let mut read = 0;
        for row in answered(meter, OFFSETS).await {
            let place = format!("{}/{}", row[0], row[1]);
            let [count, min, max] = [2, 3, 4].map(|cell| row[cell].as_i64().expect("a number"));
            let first = i64::from(row[0] == "spool");
            assert_eq!((min, max + 1 - min), (first, count), "gaps in the offsets of {place}");
            let raw = self.topic.as_ref().is_some_and(|topic| row[0] == topic.name.as_str());
            read += if raw { count } else { 0 };
        }
        assert_eq!(read, i64::try_from(self.produced.sent).expect("few"), "offsets of the topic");
    }
}

impl Drop for World {
    /// What failed stays to be looked at.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.dir.disable_cleanup(true);
            eprintln!("the tables and logs of the failure are in {}", self.dir.path().display());
        }
    }
}

/// Per tenant: events, cost; `None` while it does not answer.
async fn sums(meter: &Meter) -> Option<Sums> {
    let mut sums = BTreeMap::new();
    for row in meter.rows(SUMS).await? {
        let (events, distinct) = (row[1].as_u64()?, row[3].as_u64()?);
        assert_eq!(events, distinct, "an event is there twice: {}", meter.tail());
        sums.insert(row[0].as_str()?.to_owned(), (events, pico(row[2].as_str()?)));
    }
    Some(sums)
}

async fn answered(meter: &Meter, sql: &str) -> Vec<Vec<Value>> {
    for _ in 0..20 {
        if let Some(rows) = meter.rows(sql).await {
            return rows;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("no answer to {sql}: {}", meter.tail());
}

async fn whole(meter: &Meter, sql: &str) -> Vec<Vec<i64>> {
    let rows = answered(meter, sql).await;
    rows.iter().map(|row| row.iter().map(|cell| cell.as_i64().unwrap_or(-1)).collect()).collect()
}

/// Dollars as text, in picodollars.
fn pico(dollars: &str) -> i128 {
    let (whole, fraction) = dollars.split_once('.').unwrap_or((dollars, ""));
    format!("{whole}{fraction:0<12}").parse().expect("an amount")
}

fn rewrite_book(path: &std::path::Path, number: u64) {
    let text = format!(
        "fetched_at = 2026-11-23\neffective_from = 2026-01-01\nsource_text = \"made up\"\n\
         [[model]]\nprovider = \"openai\"\nname = \"torture-{number}\"\n\
         rates = {{ input_text = \"1\", output_text = \"2\" }}\n"
    );
    let beside = path.with_extension("new");
    std::fs::write(&beside, text).expect("written");
    std::fs::rename(beside, path).expect("renamed");
}
