//! Processes killed, paused and cut off from their broker, under load: nothing lost, nothing twice.
//!
//! A run without arguments is a short slice; the whole is behind `--ignored`, and README.md beside
//! this file says how a run or a seed is repeated. Every trial ends with the same checks
//! ([`world::World::check`]) against a ledger of what was acknowledged.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod kills;
mod ledger;
mod load;
mod meter;
#[allow(dead_code)]
#[path = "../integration/parts/mod.rs"]
mod parts;
mod points;
mod report;
mod world;

use parts::kafka::Kafka;
use points::{OFTEN, Passed};

/// Points by parts of their names: `TOKENMETER_TORTURE_POINT=commit.,vacuum.`
fn chosen(point: &str) -> bool {
    let parts = std::env::var("TOKENMETER_TORTURE_POINT");
    parts.map_or(true, |parts| parts.split(',').any(|part| point.contains(part)))
}

/// At which hits: the first and the tenth, or `TOKENMETER_TORTURE_HITS=1`.
fn hits() -> Vec<u64> {
    let told = std::env::var("TOKENMETER_TORTURE_HITS").unwrap_or_else(|_| "1,10".to_owned());
    told.split(',').map(|hit| hit.trim().parse().expect("a number")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slice_of_the_crash_points() {
    const SLICE: [&str; 4] = [
        "aside.committed/dead_letters",
        "calls.committed",
        "file.placed/log_entry",
        "spool.durable",
    ];
    let often = Passed { spool: OFTEN, kafka: 0 };
    let slice = SLICE.map(|point| (point.to_owned(), often));
    let found = points::kill_at(slice.into(), None, &[1]).await;
    assert_eq!(found.killed, SLICE.len(), "{:?}", found.lines);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: every point, twice"]
async fn every_crash_point() {
    let kafka = Kafka::start();
    let points = points::counted(kafka.as_ref()).await;
    let points = points.into_iter().filter(|(point, _)| chosen(point)).collect();
    points::report(&points::kill_at(points, kafka.as_ref(), &hits()).await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: 200 kills"]
async fn random_kills() {
    kills::random_kills(None).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: 200 kills"]
async fn kills_on_s3() {
    let Some(s3) = parts::s3::S3::start() else { return };
    kills::random_kills(Some(&s3)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: 20 processes paused until another one has taken over"]
async fn zombies() {
    kills::zombies().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: 50 changes of membership"]
async fn rebalances() {
    kills::rebalances().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: 10 kills of the broker"]
async fn broker_kills() {
    kills::broker_kills().await;
}
