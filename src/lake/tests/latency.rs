//! How long commits take; run by hand, on a disk of one's choice:
//! `TOKENMETER_LAKE_DIR=/data/lake cargo test --release --lib latency -- --ignored --nocapture`

use std::time::{Duration, Instant};

use super::*;

const COMMITS: i64 = 200;
const ROWS: i64 = 200;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn commits_of_a_second_each() {
    let dir = TempDir::new().expect("a directory");
    let mut config = config(&dir);
    if let Ok(place) = std::env::var("TOKENMETER_LAKE_DIR") {
        config.url = place;
    }
    let lake = Lake::open(&config, Arc::new(FixedClock(now()))).await.expect("the lake opens");
    let calls = lake.table(TableName::Calls);
    let mut maintenance = Maintenance::new(MaintenanceConfig::default());
    let start = calls.next_offset(PARTITION).await.expect("an offset").unwrap_or_default();
    let (mut files, mut commits) = (Vec::new(), Vec::new());
    for number in 0..COMMITS {
        let (from, next) = (start + number * ROWS, start + (number + 1) * ROWS);
        let rows = batches(from..next);
        let began = Instant::now();
        let staged = calls.write(rows).await.expect("files");
        files.push(began.elapsed());
        let commit = Commit::append(staged, vec![(PARTITION.to_owned(), next)]);
        let began = Instant::now();
        let outcome =
            calls.commit(&calls.snapshot().expect("open"), &commit).await.expect("a commit");
        assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
        commits.push(began.elapsed());
        if number % 100 == 99 {
            println!("to {next}: write {:?}, commit {:?}", median(&files), median(&commits));
            let began = Instant::now();
            let report = maintenance.run_once(calls).await.expect("a run");
            println!("  maintenance {:?}: {report:?}", began.elapsed());
            (files, commits) = (Vec::new(), Vec::new());
        }
    }
    let began = Instant::now();
    let again = Lake::open(&config, Arc::new(FixedClock(now()))).await.expect("the lake opens");
    println!("open all tables {:?}", began.elapsed());
    let calls = again.table(TableName::Calls);
    let began = Instant::now();
    let offset = calls.next_offset(PARTITION).await.expect("an offset");
    println!("read transaction {offset:?} back {:?}", began.elapsed());
    let began = Instant::now();
    let listed = calls.snapshot().expect("open").files().await.expect("files").len();
    println!("list {listed} files {:?}", began.elapsed());
}

fn median(durations: &[Duration]) -> Duration {
    let mut sorted = durations.to_vec();
    sorted.sort();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}
