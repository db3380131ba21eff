//! Half an hour at 70 % of the highest rate: does memory stay, is every event there once?
//!
//! `cargo bench --bench soak -- 30` (minutes). The highest rate is measured first, in the same run:
//! one minute of requests as fast as they are taken, until the last row can be queried. Generator,
//! server and disk share one machine. Memory is the server's resident set.
#![allow(missing_docs, clippy::indexing_slicing)]

use std::time::{Duration, Instant};

#[allow(dead_code)]
#[path = "../tests/integration/server.rs"]
mod server;
#[allow(dead_code)]
mod traffic;

use server::Server;
use traffic::Pace;

const BATCH: u64 = 1_000;
const RAMP: Duration = Duration::from_secs(60);
const SAMPLE_EVERY: Duration = Duration::from_secs(60);
const SHARE: f64 = 0.7;
/// From this minute on memory should stay.
const SETTLED_MINUTE: usize = 5;
const SENDERS: u64 = 2;

fn main() {
    let minutes = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(soak(minutes.unwrap_or(30)));
}

async fn soak(minutes: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]).await;
    let started = Instant::now();
    let mut sent = send(&server, 0, RAMP, None).await;
    wait(&server, sent).await;
    let highest = sent as f64 / started.elapsed().as_secs_f64();
    println!("highest rate: {highest:.0} events/s, from the request to the query");
    let rate = highest * SHARE;
    println!("{minutes} minutes at {rate:.0} events/s\nminute  resident MiB  data files  behind");
    let mut resident = Vec::new();
    for minute in 1..=minutes {
        sent += send(&server, sent, SAMPLE_EVERY, Some(rate)).await;
        let rows = count(&server).await;
        resident.push(resident_mib(server.pid()));
        let (memory, files) = (resident[resident.len() - 1], data_files(folder.path()));
        println!("{minute:>6}  {memory:>12}  {files:>10}  {:>6}", sent - rows);
    }
    wait(&server, sent).await;
    let settled = resident.get(SETTLED_MINUTE - 1..).unwrap_or_default();
    if let (Some(low), Some(high)) = (settled.iter().min(), settled.iter().max()) {
        let share = *high as f64 / *low as f64 - 1.0;
        println!(
            "memory from minute {SETTLED_MINUTE} on: {low} to {high} MiB, {:.1} %",
            share * 1e2
        );
    }
    let distinct = server.cell("SELECT count(DISTINCT identity_hash) FROM calls").await;
    let dead = server.cell("SELECT count(*) FROM dead_letters").await;
    println!(
        "sent {sent}, rows {}, identities {distinct}, dead letters {dead}",
        count(&server).await
    );
    assert_eq!((distinct, dead), (sent.to_string(), "0".to_owned()), "lost or doubled");
}

/// Sends for so long, at a rate or as fast as it is taken; how many events were acknowledged.
async fn send(server: &Server, first: u64, during: Duration, rate: Option<f64>) -> u64 {
    let started = Instant::now();
    let of_one = |sender: u64| async move {
        let mut sent = 0;
        while started.elapsed() < during {
            let number = first + (sent / BATCH * SENDERS + sender) * BATCH;
            post(server, number).await;
            sent += BATCH;
            if let Some(rate) = rate {
                let due = Duration::from_secs_f64((sent * SENDERS) as f64 / rate);
                tokio::time::sleep(due.saturating_sub(started.elapsed())).await;
            }
        }
        sent
    };
    // Both send as many, so that no number is left out.
    let mut counts = futures::future::join_all((0..SENDERS).map(of_one)).await;
    let most = counts.iter().copied().max().unwrap_or_default();
    for (sender, sent) in (0..).zip(&mut counts) {
        while *sent < most {
            post(server, first + (*sent / BATCH * SENDERS + sender) * BATCH).await;
            *sent += BATCH;
        }
    }
    most * SENDERS
}

/// Sends one batch until it is acknowledged.
async fn post(server: &Server, number: u64) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let start = u64::try_from(now.expect("a clock").as_millis()).expect("an age");
    let body = traffic::ndjson_of(number..number + BATCH, Pace { start, millis: 0 });
    loop {
        match server.post("/v1/events", body.clone()).await {
            (202, _) => return,
            (429 | 503, _) => tokio::time::sleep(Duration::from_millis(50)).await,
            (status, answer) => panic!("{status}: {answer}"),
        }
    }
}

async fn count(server: &Server) -> u64 {
    server.cell("SELECT count(*) FROM calls").await.parse().expect("a count")
}

async fn wait(server: &Server, rows: u64) {
    while count(server).await < rows {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn resident_mib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("kilobytes") >> 10
}

/// Files of rows in the folder of calls, those no longer named among them.
fn data_files(folder: &std::path::Path) -> usize {
    let days = std::fs::read_dir(folder.join("lake/calls")).expect("a table").flatten();
    let files = days.flat_map(|day| std::fs::read_dir(day.path()).into_iter().flatten().flatten());
    files.filter(|file| file.path().extension().is_some_and(|kind| kind == "parquet")).count()
}
