//! Cost questions over 2,000,000 stored calls, beside DuckDB on plain daily Parquet files of the
//! same rows.
//!
//! `cargo bench --bench query`, or `-- "by team"` for some of the questions. The table is written
//! and merged by the lake itself, and its days are over and closed; DuckDB gets the same rows in
//! the order they came, a file a day. Both answer warm, with two threads, in turn, three times: a
//! machine is not always equally fast. The least CPU time of the whole process counts, of memory
//! the highest peak. Every answer must be the same.
#![allow(missing_docs, clippy::indexing_slicing)]

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::util::display::array_value_to_string;
use serde_json::json;
use tokenmeter::attribution::{Rules, Sender};
use tokenmeter::charge::meter;
use tokenmeter::event::{Lineage, decode_call_event, split_events};
use tokenmeter::lake::{
    CallRow, Commit, Lake, LakeConfig, Maintenance, MaintenanceConfig, Outcome, Rows, TableName,
};
use tokenmeter::query::{QueryConfig, QueryEngine, SqlRequest};
use tokenmeter::time::{Clock, SystemClock};

#[allow(dead_code)]
mod duckdb;
mod questions;
#[allow(dead_code)]
mod traffic;

use questions::Asked;
use traffic::Pace;

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const CALLS: u64 = 2_000_000;
const ROUNDS: usize = 3;
const COMMIT_ROWS: u64 = 8_192;
/// Thirty days from 2026-10-01 on.
const MONTH: Pace = Pace { start: 1_790_812_800_000, millis: 1_296 };
/// Set for the process that only asks: its memory is that of asking.
const LAKE: &str = "TOKENMETER_BENCH_LAKE";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    if let Ok(url) = std::env::var(LAKE) {
        let answers = runtime.block_on(ask(&url));
        println!("{}", json!({"answers": answers, "peak_mib": peak_mib()}));
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let url = folder.path().join("lake").display().to_string();
    println!("{CALLS} made-up calls of 30 days");
    let files = runtime.block_on(fill(&url));
    println!("{} files, {} MiB", files.len(), files.iter().map(|file| file.1).sum::<u64>() >> 20);
    let calls = Path::new(&url).join("calls");
    let paths: Vec<_> = files.iter().map(|file| calls.join(&file.0)).collect();
    let asked = questions::as_json().to_string();
    let (mut ours, mut theirs) = (None, None);
    for _ in 0..ROUNDS {
        ours = Some(Asked::read(&asked_here(&url)).or_less(ours));
        let output = duckdb::asked(&asked, &paths, &folder.path().join("days"));
        theirs = output.map(|output| Asked::read(&output).or_less(theirs));
    }
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => questions::compare(&ours, &theirs),
        (ours, _) => {
            questions::print(&ours.expect("a round"));
            duckdb::missing();
        }
    }
}

/// What a process of its own prints that only asks.
fn asked_here(url: &str) -> Vec<u8> {
    let own = std::process::Command::new(std::env::current_exe().expect("this program"))
        .args(std::env::args_os().skip(1))
        .env(LAKE, url)
        .output()
        .expect("it runs");
    assert!(own.status.success(), "{}", String::from_utf8_lossy(&own.stderr));
    own.stdout
}

async fn open(url: &str) -> Lake {
    let config = LakeConfig { url: url.to_owned(), ..LakeConfig::default() };
    Lake::open(&config, Arc::new(SystemClock)).await.expect("a lake")
}

/// Meters, commits and merges all calls and closes their days; the data files, with their sizes.
async fn fill(url: &str) -> Vec<(String, u64)> {
    let lake = open(url).await;
    let calls = lake.table(TableName::Calls);
    let (book, rules) = (traffic::book(), Rules::default());
    let sender =
        Sender { namespace: "bench".to_owned(), claims_allowed: true, ..Sender::default() };
    let mut first = 0;
    while first < CALLS {
        let numbers = first..(first + COMMIT_ROWS).min(CALLS);
        first = numbers.end;
        let lines = traffic::ndjson_of(numbers, MONTH);
        let mut rows = Rows::default();
        for event in split_events(&lines).expect("events") {
            let event = decode_call_event(event).expect("an event");
            let charge = meter(event, &book, &rules, &sender).expect("a charge");
            let lineage = Lineage { topic: "bench".to_owned(), partition: 0, offset: 0, index: 0 };
            rows.push(&CallRow::new(charge, lineage, SystemClock.now()).expect("a row"));
        }
        let staged = calls.write(rows.finish().expect("batches")).await.expect("files");
        let offset = i64::try_from(first).expect("an offset");
        let commit = Commit::append(staged, vec![("bench".to_owned(), offset)]);
        let outcome =
            calls.commit(&calls.snapshot().expect("open"), &commit).await.expect("an outcome");
        assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    }
    let mut maintenance = Maintenance::new(MaintenanceConfig::default());
    while maintenance.run_once(calls).await.expect("maintained").files_merged > 0 {}
    while maintenance.close_day(&lake).await.expect("closed").is_some() {}
    let files = calls.snapshot().expect("open").files().await.expect("files");
    files.iter().map(|file| (file.path.clone(), file.size)).collect()
}

/// Asks every question until it has cost enough to be measured.
async fn ask(url: &str) -> Vec<serde_json::Value> {
    let engine = QueryEngine::new(Arc::new(open(url).await), QueryConfig::default());
    let engine = engine.expect("an engine");
    let mut answers = Vec::new();
    for question in questions::chosen() {
        let request = SqlRequest::new(question.sql);
        let rows = rows(&engine, &request).await;
        let (mut runs, before) = (0_u32, cpu_seconds());
        while cpu_seconds() - before < questions::SECONDS_MIN && runs < questions::RUNS_MAX {
            self::rows(&engine, &request).await;
            runs += 1;
        }
        let seconds = (cpu_seconds() - before) / f64::from(runs);
        answers.push(json!({"name": question.name, "cpu_seconds": seconds, "rows": rows}));
    }
    answers
}

async fn rows(engine: &QueryEngine, request: &SqlRequest) -> Vec<Vec<String>> {
    let mut answer = engine.ask(request).await.expect("an answer");
    let mut rows = Vec::new();
    while let Some(batch) = answer.next().await {
        let batch = batch.expect("rows");
        rows.extend((0..batch.num_rows()).map(|row| texts(&batch, row)));
    }
    rows
}

fn texts(batch: &RecordBatch, row: usize) -> Vec<String> {
    let cells = batch.columns().iter();
    cells.map(|column| array_value_to_string(column, row).expect("a text")).collect()
}

/// CPU time of the process, user and system, in Linux's ticks of a hundredth of a second.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = stat.rsplit(") ").next().expect("fields").split(' ').skip(11).take(2);
    fields.map(|ticks| ticks.parse::<f64>().expect("ticks")).sum::<f64>() / 100.0
}

/// The most memory that this process has had.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("kilobytes") >> 10
}
