//! The embedded log; Kafka's tests are in `tests/integration`, against a real broker.
#![allow(clippy::indexing_slicing)]

use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::time::Timestamp;

const WAIT: Duration = Duration::from_secs(5);

fn entry(text: &str) -> LogEntry {
    LogEntry {
        key: text.to_owned(),
        payload: Bytes::copy_from_slice(text.as_bytes()),
        accepted_at: Timestamp::EPOCH,
    }
}

async fn read(source: &mut SpoolSource) -> Vec<(i64, String)> {
    match source.next(100, WAIT).await.expect("a step") {
        Step::Messages(messages) => messages
            .into_iter()
            .map(|message| {
                let payload = message.payload.expect("a payload");
                (message.offset, String::from_utf8_lossy(&payload).into_owned())
            })
            .collect(),
        other => panic!("expected messages, got {other:?}"),
    }
}

/// Takes the assignment and reads on from `start`.
async fn begin(source: &mut SpoolSource, start: Start) -> Result<(), SourceError> {
    let Step::Assigned(partitions) = source.next(1, WAIT).await.expect("a step") else {
        panic!("the first step is the assignment")
    };
    let [partition] = &partitions[..] else { panic!("a spool has one partition") };
    source.seek(partition, start).await
}

#[tokio::test]
async fn what_is_appended_is_read_in_order_and_survives_a_reopen() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("spool.sqlite");
    {
        let spool = Spool::open(&path, true).expect("a spool");
        let many = (0..50).map(|n| spool.log.append(vec![entry(&format!("{n}"))]));
        for appended in futures::future::join_all(many).await {
            assert_eq!(appended.expect("appended"), Appended { entries: 1 });
        }
    }
    let mut spool = Spool::open(&path, true).expect("a spool");
    begin(&mut spool.source, Start::Earliest).await.expect("begun");
    let read = read(&mut spool.source).await;
    let offsets: Vec<i64> = read.iter().map(|(offset, _)| *offset).collect();
    assert_eq!(offsets, (1..=50).collect::<Vec<i64>>());
    assert_eq!(read.last(), Some(&(50, "49".to_owned())));
}

#[tokio::test]
async fn offsets_are_never_reused() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("spool.sqlite");
    let partition = {
        let mut spool = Spool::open(&path, true).expect("a spool");
        spool.log.append(vec![entry("a"), entry("b")]).await.expect("appended");
        begin(&mut spool.source, Start::Earliest).await.expect("begun");
        let Step::Messages(messages) = spool.source.next(9, WAIT).await.expect("a step") else {
            panic!("messages")
        };
        let partition = messages[0].partition.clone();
        spool.source.committed(&partition, 3).await.expect("deleted");
        partition
    };
    let mut spool = Spool::open(&path, true).expect("a spool");
    assert!(partition.app_id.ends_with(&spool.id), "the id stays");
    assert_eq!(spool.source.extent(&partition), Some(Extent { low: 3, high: 3 }));
    spool.log.append(vec![entry("c")]).await.expect("appended");
    begin(&mut spool.source, Start::Offset(3)).await.expect("begun");
    assert_eq!(read(&mut spool.source).await, [(3, "c".to_owned())]);
}

#[tokio::test]
async fn another_spool_in_its_place_stops_the_start() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut spool = Spool::open(&dir.path().join("spool.sqlite"), true).expect("a spool");
    let error = begin(&mut spool.source, Start::Offset(10)).await.expect_err("an error");
    assert!(matches!(error, SourceError::Fatal(_)), "{error}");
    assert!(error.to_string().contains("offset 10"), "{error}");
}

#[tokio::test]
async fn nothing_is_delivered_while_paused() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut spool = Spool::open(&dir.path().join("spool.sqlite"), false).expect("a spool");
    begin(&mut spool.source, Start::Earliest).await.expect("begun");
    spool.log.append(vec![entry("a")]).await.expect("appended");
    spool.source.pause(true).expect("paused");
    let step = spool.source.next(1, Duration::from_millis(1)).await.expect("a step");
    assert!(matches!(step, Step::Idle), "{step:?}");
    spool.source.pause(false).expect("resumed");
    assert_eq!(read(&mut spool.source).await, [(1, "a".to_owned())]);
}

#[test]
fn a_file_that_is_no_spool_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("spool.sqlite");
    std::fs::write(&path, "not a database, but long enough to be looked at".repeat(40))
        .expect("written");
    let error = Spool::open(&path, true).expect_err("an error");
    assert!(error.to_string().contains("spool.sqlite"), "{error}");
}
