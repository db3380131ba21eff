//! The embedded log.
#![allow(clippy::indexing_slicing)]

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;

use crate::setting::ByteSize;
use crate::source::*;
use crate::time::Timestamp;

const WAIT: Duration = Duration::from_secs(5);

fn open_spool(path: &Path) -> Result<Spool, SourceError> {
    Spool::open(path, &SpoolConfig::default())
}

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
        let spool = open_spool(&path).expect("a spool");
        let many = (0..50).map(|n| spool.log.append(vec![entry(&format!("{n}"))]));
        for appended in futures::future::join_all(many).await {
            assert_eq!(appended.expect("appended"), Appended { entries: 1 });
        }
    }
    let mut spool = open_spool(&path).expect("a spool");
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
        let mut spool = open_spool(&path).expect("a spool");
        spool.log.append(vec![entry("a"), entry("b")]).await.expect("appended");
        begin(&mut spool.source, Start::Earliest).await.expect("begun");
        let Step::Messages(messages) = spool.source.next(9, WAIT).await.expect("a step") else {
            panic!("messages")
        };
        let partition = messages[0].partition.clone();
        spool.source.committed(&partition, 3).await.expect("deleted");
        partition
    };
    let mut spool = open_spool(&path).expect("a spool");
    assert!(partition.app_id.ends_with(&spool.id), "the id stays");
    assert_eq!(spool.source.extent(&partition), Some(Extent { low: 3, high: 3 }));
    spool.log.append(vec![entry("c")]).await.expect("appended");
    begin(&mut spool.source, Start::Offset(3)).await.expect("begun");
    assert_eq!(read(&mut spool.source).await, [(3, "c".to_owned())]);
}

#[tokio::test]
async fn another_spool_in_its_place_stops_the_start() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut spool = open_spool(&dir.path().join("spool.sqlite")).expect("a spool");
    let error = begin(&mut spool.source, Start::Offset(10)).await.expect_err("an error");
    assert!(matches!(error, SourceError::Fatal(_)), "{error}");
    assert!(error.to_string().contains("offset 10"), "{error}");
}

#[tokio::test]
async fn nothing_is_delivered_while_paused() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut spool = open_spool(&dir.path().join("spool.sqlite")).expect("a spool");
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
    let error = open_spool(&path).expect_err("an error");
    assert!(error.to_string().contains("spool.sqlite"), "{error}");
}

#[tokio::test]
async fn a_lake_that_is_behind_what_was_deleted_stops_the_start() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("spool.sqlite");
    let mut spool = open_spool(&path).expect("a spool");
    spool.log.append(vec![entry("a"), entry("b"), entry("c")]).await.expect("appended");
    spool.log.delete_below(3).await.expect("deleted");
    let error = begin(&mut spool.source, Start::Offset(2)).await.expect_err("an error");
    assert!(matches!(error, SourceError::Fatal(_)), "{error}");
    assert!(error.to_string().contains("below 3 was deleted"), "{error}");
}

#[tokio::test]
async fn a_full_spool_takes_events_again_when_the_lake_has_taken_some() {
    let dir = tempfile::tempdir().expect("a directory");
    let config = SpoolConfig { size_max: ByteSize(256 << 10), ..SpoolConfig::default() };
    let mut spool = Spool::open(&dir.path().join("spool.sqlite"), &config).expect("a spool");
    let large = "x".repeat(64 << 10);
    let mut taken: i64 = 0;
    let error = loop {
        match spool.log.append(vec![entry(&large)]).await {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, SourceError::Retryable { .. }), "{error}");
    assert!(error.to_string().contains("`source.spool.size_max` is reached"), "{error}");
    begin(&mut spool.source, Start::Earliest).await.expect("begun");
    assert_eq!(read(&mut spool.source).await.len() as i64, taken);
    spool.log.delete_below(taken + 1).await.expect("deleted");
    spool.log.append(vec![entry("again")]).await.expect("appended");
    assert_eq!(read(&mut spool.source).await, [(taken + 1, "again".to_owned())]);
}

#[tokio::test]
async fn the_write_ahead_log_gives_the_disk_back() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("spool.sqlite");
    let spool = open_spool(&path).expect("a spool");
    let log_mib =
        || std::fs::metadata(dir.path().join("spool.sqlite-wal")).expect("a log").len() >> 20;
    let large = "x".repeat(1 << 20);
    spool.log.append(vec![entry("first")]).await.expect("appended");
    let reader = rusqlite::Connection::open(&path).expect("the file");
    reader.execute_batch("BEGIN; SELECT count(*) FROM entries").expect("a reader stands here");
    for _ in 0..80 {
        spool.log.append(vec![entry(&large)]).await.expect("appended");
    }
    assert!(log_mib() >= 80, "{} MiB", log_mib());
    reader.execute_batch("COMMIT").expect("the reader is gone");
    for _ in 0..10 {
        spool.log.append(vec![entry(&large)]).await.expect("appended");
    }
    assert!(log_mib() <= 64, "{} MiB", log_mib());
}

#[tokio::test]
async fn after_a_failed_write_nothing_is_taken_until_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("spool.sqlite");
    let spool = open_spool(&path).expect("a spool");
    let other = rusqlite::Connection::open(&path).expect("the file");
    other.execute_batch("ALTER TABLE entries RENAME TO away").expect("renamed");
    spool.log.append(vec![entry("a")]).await.expect_err("the table is away");
    other.execute_batch("ALTER TABLE away RENAME TO entries").expect("renamed back");
    let error = spool.log.append(vec![entry("b")]).await.expect_err("still refused");
    assert!(error.to_string().contains("until a restart"), "{error}");
    drop(spool);
    let spool = open_spool(&path).expect("a spool");
    spool.log.append(vec![entry("c")]).await.expect("appended");
}

#[tokio::test]
async fn requests_beyond_what_may_wait_are_told_to_come_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("spool.sqlite");
    let spool = open_spool(&path).expect("a spool");
    // Another writer holds the file, so that nothing is answered while requests come in.
    let other = rusqlite::Connection::open(&path).expect("the file");
    other.execute_batch("BEGIN IMMEDIATE").expect("held");
    let appends = (0..3_000).map(|n| spool.log.append(vec![entry(&n.to_string())]));
    let release = async { other.execute_batch("COMMIT").expect("released") };
    let (answers, ()) = futures::future::join(futures::future::join_all(appends), release).await;
    let taken = answers.iter().filter(|answer| answer.is_ok()).count();
    assert!((1..3_000).contains(&taken), "{taken} were taken");
    let refused = answers.into_iter().find_map(Result::err).expect("a refusal");
    assert!(matches!(refused, SourceError::Retryable { .. }), "{refused}");
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_spool() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("spool.sqlite");
    let spool = open_spool(&path).expect("a spool");
    for entry in std::fs::read_dir(dir.path()).expect("listed") {
        let file = entry.expect("an entry");
        let mode = file.metadata().expect("metadata").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.path().display());
    }
    drop(spool);
}
