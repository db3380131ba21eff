//! Half an hour at 70 % of the highest rate: does memory stay, is every event there once?
//!
//! `cargo bench --bench soak -- 30` (minutes). The highest rate is measured first, in the same run:
//! one minute of requests as fast as they are taken, until the last row can be queried. Generator,
//! server and disk share one machine. Memory is the server's resident set, looked at every second:
//! its mean and its peak of each minute, and what identities take of it. Files are those of the
//! table of calls at a minute's end, and how many of them will be merged again.
#![allow(missing_docs, clippy::indexing_slicing)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokenmeter::lake::{Lake, LakeConfig, MaintenanceConfig, TableName};
use tokenmeter::time::SystemClock;

mod load;
#[allow(dead_code)]
#[path = "../tests/integration/server.rs"]
mod server;
#[allow(dead_code)]
mod traffic;

use load::{Load, rows, wait};
use server::Server;

const BATCH: u64 = 1_000;
const RAMP: Duration = Duration::from_secs(60);
const MINUTE: Duration = Duration::from_secs(60);
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
const SHARE: f64 = 0.7;
/// From this minute on memory should stay.
const SETTLED_MINUTE: u64 = 5;

fn main() {
    let minutes = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(soak(minutes.unwrap_or(30)));
}

async fn soak(minutes: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[("TOKENMETER_QUERY__TIMEOUT", "10m")]).await;
    let started = Instant::now();
    let mut sent = Load { batch: BATCH, during: RAMP, rate: None }.send(&server, 0).await;
    wait(&server, sent).await;
    let highest = sent as f64 / started.elapsed().as_secs_f64();
    println!("highest rate: {highest:.0} events/s, from the request to the query");
    let rate = highest * SHARE;
    println!("{minutes} minutes at {rate:.0} events/s");
    println!("minute  mean MiB  peak MiB  identities MiB  files  small  behind");
    let mut settled = Vec::new();
    for minute in 1..=minutes {
        let load = Load { batch: BATCH, during: MINUTE, rate: Some(rate) };
        let watching = Watch::begin(server.pid());
        sent += load.send(&server, sent).await;
        let (mean, peak) = watching.end().await;
        let (rows, identities) = (rows(&server).await, identities_mib(&server).await);
        let ((files, small), behind) = (data_files(folder.path()).await, sent - rows);
        println!("{minute:>6}{mean:>10}{peak:>10}{identities:>16}{files:>7}{small:>7}{behind:>8}");
        if minute >= SETTLED_MINUTE {
            settled.push((mean, peak));
        }
    }
    wait(&server, sent).await;
    let means: Vec<u64> = settled.iter().map(|(mean, _)| *mean).collect();
    // A merge of large files comes every few minutes, and takes memory for some seconds.
    let fives = means.chunks_exact(5).map(|five| five.iter().sum::<u64>() / 5);
    spread("mean memory of five minutes", fives);
    spread("mean memory of a minute", means.iter().copied());
    spread("peak memory of a minute", settled.iter().map(|(_, peak)| *peak));
    let dead = server.cell("SELECT count(*) FROM dead_letters").await;
    println!("sent {sent}, rows {}, dead letters {dead}", rows(&server).await);
    assert_eq!((sums(&server).await, dead.as_str()), (expected(sent), "0"), "lost or doubled");
}

/// How many rows there are, and the sums of their numbers and of the squares: equal to those of the
/// numbers sent, each is there once.
async fn sums(server: &Server) -> [String; 3] {
    let number = "CAST(substr(provider_response_id, 6) AS DECIMAL(19, 0))";
    let sums = ["count(*)", &format!("sum({number})"), &format!("sum({number} * {number})")];
    let mut cells = Vec::new();
    for sum in sums {
        cells.push(server.cell(&format!("SELECT {sum} FROM calls")).await);
    }
    cells.try_into().expect("three sums")
}

/// The sums of the numbers below one.
fn expected(sent: u64) -> [String; 3] {
    let n = u128::from(sent);
    let sum = n * n.saturating_sub(1) / 2;
    let squares = n * n.saturating_sub(1) * (2 * n).saturating_sub(1) / 6;
    [n, sum, squares].map(|sum| sum.to_string())
}

/// Looks at a process's memory every second.
struct Watch {
    stop: tokio::sync::oneshot::Sender<()>,
    task: tokio::task::JoinHandle<Vec<u64>>,
}

impl Watch {
    fn begin(pid: u32) -> Self {
        let (stop, mut stopped) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(async move {
            let mut samples = vec![resident_mib(pid)];
            while tokio::time::timeout(SAMPLE_EVERY, &mut stopped).await.is_err() {
                samples.push(resident_mib(pid));
            }
            samples
        });
        Self { stop, task }
    }

    /// Mean and peak.
    async fn end(self) -> (u64, u64) {
        self.stop.send(()).expect("it watches");
        let samples = self.task.await.expect("samples");
        let peak = samples.iter().copied().max().unwrap_or_default();
        (samples.iter().sum::<u64>() / samples.len() as u64, peak)
    }
}

fn resident_mib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("kilobytes") >> 10
}

/// What the server holds of the identities.
async fn identities_mib(server: &Server) -> u64 {
    let metrics = server.get("/metrics").await.expect("metrics");
    let line = metrics.lines().find_map(|line| line.strip_prefix("tokenmeter_identity_bytes "));
    line.expect("a metric").parse::<u64>().expect("bytes") >> 20
}

/// The least and the most from the settled minute on.
fn spread(what: &str, mebibytes: impl Iterator<Item = u64> + Clone) {
    if let (Some(low), Some(high)) = (mebibytes.clone().min(), mebibytes.max()) {
        let share = (high as f64 / low as f64 - 1.0) * 1e2;
        println!("{what} from minute {SETTLED_MINUTE} on: {low} to {high} MiB, {share:.1} %");
    }
}

/// The files that the table of calls is made of now, and those of them that are small.
async fn data_files(folder: &Path) -> (usize, usize) {
    let url = folder.join("lake").display().to_string();
    let config = LakeConfig { url, ..LakeConfig::default() };
    let lake = Lake::open(&config, Arc::new(SystemClock)).await.expect("a lake");
    let calls = lake.table(TableName::Calls).snapshot().expect("a table");
    let files = calls.files().await.expect("files");
    let small_file = MaintenanceConfig::default().small_file.0 as u64;
    (files.len(), files.iter().filter(|file| file.size < small_file).count())
}
