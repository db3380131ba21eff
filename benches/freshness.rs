//! How long an event takes to its committed row while hostile queries run, beside the same without
//! them, in one run.
//!
//! `cargo bench --bench freshness -- 60` (seconds of each part). 2,000 events a second arrive;
//! eight askers repeat statements that take all the time, memory or rows that they may have.
//! Freshness is the server's own `tokenmeter_freshness_seconds`: from the log's acceptance to the
//! commit. Told too: how long after its limit the slowest statement was answered. Generator,
//! server, queries and disk share one machine.
#![allow(missing_docs, clippy::indexing_slicing)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

mod load;
#[allow(dead_code)]
#[path = "../tests/integration/server.rs"]
mod server;
#[allow(dead_code)]
mod traffic;

use load::{Load, rows, wait};
use server::Server;

const RATE: f64 = 2_000.0;
const BATCH: u64 = 50;
/// What the hostile queries find.
const BEFORE: Duration = Duration::from_secs(20);
const TIMEOUT_MS: u64 = 5_000;
/// Time, memory, sorting, rows, planning: each as much as it gets.
const HOSTILE: [&str; 8] = [
    "SELECT count(*) FROM calls a, calls b, calls c WHERE a.cost_usd + c.cost_usd > 99999",
    "SELECT length(repeat('A', 2147483647))",
    "SELECT * FROM calls ORDER BY raw_usage, event_id",
    "SELECT array_agg(a.event_id || b.event_id) FROM calls a, calls b",
    "SELECT count(*) FROM generate_series(1, 100000000000) a(n) WHERE n % 7 = 8",
    "SELECT DISTINCT a.event_id, b.trace_id FROM calls a, calls b",
    "SELECT sum(CASE WHEN raw_usage ~ '(a|b|c|[0-9])*(x|y)*z$' THEN 1 END) FROM calls",
    "SELECT event_id, sum(cost_usd) OVER (ORDER BY event_id), rank() OVER (ORDER BY trace_id) \
        FROM calls",
];

fn main() {
    let seconds = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let during = Duration::from_secs(seconds.unwrap_or(60));
    runtime.expect("a runtime").block_on(compare(during));
}

async fn compare(during: Duration) {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]).await;
    let mut sent = Load { batch: 1_000, during: BEFORE, rate: None }.send(&server, 0).await;
    wait(&server, sent).await;
    println!("{sent} calls are there; then {RATE} a second");
    let load = Load { batch: BATCH, during, rate: Some(RATE) };
    let before = Freshness::of(&server).await;
    sent += load.send(&server, sent).await;
    let calm = Freshness::of(&server).await.since(&before);
    wait(&server, sent).await;
    let (ended, asked, longest) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let before = Freshness::of(&server).await;
    let hostile = HOSTILE.map(|sql| ask_until(&server, sql, &ended, [&asked, &longest]));
    let sending = async {
        let sent = load.send(&server, sent).await;
        let freshness = Freshness::of(&server).await;
        ended.store(true, Ordering::Relaxed);
        (sent, freshness.since(&before))
    };
    let (_, (more, beset)) = tokio::join!(futures::future::join_all(hostile), sending);
    sent += more;
    wait(&server, sent).await;
    assert_eq!(rows(&server).await, sent, "lost or doubled");
    let asked = asked.load(Ordering::Relaxed);
    println!("without queries: mean {:.2} s of {} rows", calm.mean(), calm.count);
    println!("eight hostile ones, {asked} asked: mean {:.2} s of {}", beset.mean(), beset.count);
    println!("ratio {:.2}", beset.mean() / calm.mean());
    let longest = longest.into_inner();
    println!("a limit of {TIMEOUT_MS} ms: the slowest answer took {longest} ms");
}

/// Asks the same again and again; every answer is rows or a clear error.
async fn ask_until(
    server: &Server,
    sql: &str,
    ended: &AtomicBool,
    [asked, longest]: [&AtomicU64; 2],
) {
    while !ended.load(Ordering::Relaxed) {
        let body = json!({"sql": sql, "timeout_ms": TIMEOUT_MS}).to_string();
        let began = Instant::now();
        let (status, answer) = server.post("/v1/sql", body).await;
        assert!(matches!(status, 200 | 422 | 429 | 503), "{sql}: {status} {answer}");
        asked.fetch_add(1, Ordering::Relaxed);
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        longest.fetch_max(millis, Ordering::Relaxed);
    }
}

/// What the server has told of it so far.
#[derive(Clone, Copy)]
struct Freshness {
    seconds: f64,
    count: f64,
}

impl Freshness {
    async fn of(server: &Server) -> Self {
        let metrics = server.get("/metrics").await.expect("metrics");
        let value = |name: &str| {
            let line = metrics.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).expect("a value")
        };
        let seconds = value("tokenmeter_freshness_seconds_sum");
        Self { seconds, count: value("tokenmeter_freshness_seconds_count") }
    }

    fn since(self, before: &Self) -> Self {
        Self { seconds: self.seconds - before.seconds, count: self.count - before.count }
    }

    fn mean(self) -> f64 {
        self.seconds / self.count
    }
}
