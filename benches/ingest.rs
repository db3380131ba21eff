//! Rows per CPU-second from a file to a committed Delta table, beside DuckDB writing Parquet.
//!
//! `cargo bench --bench ingest`. CPU time of the whole process, made-up calls, batches of 64k rows,
//! each one fsynced commit. Both must come to the same cost, to the picodollar.
#![allow(missing_docs, clippy::indexing_slicing)]

use std::sync::Arc;

use tokenmeter::attribution::{Rules, Sender};
use tokenmeter::charge::meter;
use tokenmeter::event::{Lineage, decode_call_event, split_events};
use tokenmeter::lake::{CallRow, Commit, Lake, LakeConfig, Outcome, Rows, TableName};
use tokenmeter::money::Usd;
use tokenmeter::time::{Clock, SystemClock};

#[allow(dead_code)]
mod duckdb;
#[allow(dead_code)]
mod traffic;

use duckdb::{Work, duckdb, report};

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const CALLS: u64 = 300_000;
const ROUNDS: usize = 3;
const BATCH_ROWS: usize = 65_536;

fn main() {
    let lines = traffic::ndjson(CALLS);
    println!("{CALLS} made-up calls, best of {ROUNDS}");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let (mut best, mut total) = (0.0_f64, Usd::ZERO);
    for _ in 0..ROUNDS {
        let before = cpu_seconds();
        total = runtime.block_on(ingest(&lines));
        best = best.max(CALLS as f64 / (cpu_seconds() - before));
    }
    report("file to committed table", best);
    println!("{:<24}{total} USD", "total");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("calls.ndjson");
    std::fs::write(&file, &lines).expect("a file");
    match duckdb(&file, ROUNDS, Work::Ingest) {
        Some((rows_per_second, cost)) => {
            report("DuckDB, to Parquet", rows_per_second);
            assert_eq!(cost, total.to_string(), "the two disagree about the cost");
            println!("{:<24}{:.2}", "times DuckDB", best / rows_per_second);
        }
        None => duckdb::missing(),
    }
}

/// Meters every event and commits the rows; the sum of their costs.
async fn ingest(lines: &[u8]) -> Usd {
    let folder = tempfile::tempdir().expect("a folder");
    let url = folder.path().display().to_string();
    let clock = Arc::new(SystemClock);
    let config = LakeConfig { url, ..LakeConfig::default() };
    let lake = Lake::open(&config, clock.clone()).await.expect("a lake");
    let calls = lake.table(TableName::Calls);
    let (book, rules) = (traffic::book(), Rules::default());
    let sender =
        Sender { namespace: "bench".to_owned(), claims_allowed: true, ..Sender::default() };
    let (mut total, mut offset) = (Usd::ZERO, 0);
    for batch in split_events(lines).expect("events").chunks(BATCH_ROWS) {
        let mut rows = Rows::default();
        for event in batch {
            let event = decode_call_event(event).expect("an event");
            let charge = meter(event, &book, &rules, &sender).expect("a charge");
            let cost = charge.cost.cost.and_then(|cost| total.checked_add(cost));
            total = cost.expect("a price");
            let topic = "bench".to_owned();
            let lineage = Lineage { topic, partition: 0, offset, index: 0 };
            rows.push(&CallRow::new(charge, lineage, clock.now()).expect("a row"));
            offset += 1;
        }
        let staged = calls.write(rows.finish().expect("batches")).await.expect("files");
        let commit = Commit::append(staged, vec![("bench".to_owned(), offset)]);
        let outcome =
            calls.commit(&calls.snapshot().expect("open"), &commit).await.expect("an outcome");
        assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    }
    total
}

/// CPU time of the process, user and system, in Linux's ticks of a hundredth of a second.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = stat.rsplit(") ").next().expect("fields").split(' ').skip(11).take(2);
    fields.map(|ticks| ticks.parse::<f64>().expect("ticks")).sum::<f64>() / 100.0
}
