//! What a commit on a local disk survives, and what a damaged log says.

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};

use super::super::durable::DurableStore;
use super::*;

fn location(dir: &TempDir, name: &str) -> Path {
    Path::from_absolute_path(dir.path().join(name)).expect("a path")
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_directories_are_fsynced() {
    let dir = TempDir::new().expect("a directory");
    let store = DurableStore::new(Durability::Fsync);
    let place = location(&dir, "table/date=2026-11-23/a.parquet");
    store.put(&place, PutPayload::from_static(b"rows")).await.expect("a file");
    // The file, its directory, and the entries of the two directories that were made.
    assert_eq!(store.syncs(), 4);
    store.put(&place, PutPayload::from_static(b"more")).await.expect("a file");
    assert_eq!(store.syncs(), 6);

    let store = DurableStore::new(Durability::Os);
    store.put(&location(&dir, "b"), PutPayload::from_static(b"rows")).await.expect("a file");
    assert_eq!(store.syncs(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_created_once_and_never_half() {
    let dir = TempDir::new().expect("a directory");
    let store = Arc::new(DurableStore::new(Durability::Fsync));
    let place = location(&dir, "log/1.json");
    let races = (0..8).map(|writer| {
        let (store, place) = (Arc::clone(&store), place.clone());
        let payload = PutPayload::from(format!("writer {writer}"));
        let options = PutOptions::from(PutMode::Create);
        async move { store.put_opts(&place, payload, options).await }
    });
    let results = futures::future::join_all(races).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for error in results.into_iter().filter_map(Result::err) {
        assert!(matches!(error, object_store::Error::AlreadyExists { .. }), "{error}");
    }
    let names: Vec<_> = std::fs::read_dir(dir.path().join("log"))
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(names, ["1.json"], "nothing half-written is left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_log_entry_is_named() {
    for (torn, why) in [("", "is empty"), ("{\"commitInfo\":{\"times", "line 1 is not JSON")] {
        let dir = TempDir::new().expect("a directory");
        append(open(&dir).await.table(TableName::Calls), 0..3).await;
        let entry = dir.path().join("calls/_delta_log/00000000000000000001.json");
        std::fs::write(&entry, torn).expect("a torn entry");
        let lake = open(&dir).await;
        let opened = lake.table(TableName::Calls).snapshot();
        let error = opened.expect_err("a torn entry is refused").to_string();
        assert!(error.contains("00000000000000000001.json") && error.contains(why), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_data_file_is_named() {
    let dir = TempDir::new().expect("a directory");
    let lake = open(&dir).await;
    let calls = lake.table(TableName::Calls);
    append(calls, 0..3).await;
    let files = calls.snapshot().expect("open").files().await.expect("files");
    let file = files.first().expect("a file");
    let path = dir.path().join("calls").join(&file.path);
    let bytes = std::fs::read(&path).expect("bytes");
    std::fs::write(&path, vec![0_u8; bytes.len()]).expect("a damaged file");
    let error = calls.read(file, None).await.expect_err("damaged");
    assert!(matches!(error, LakeError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains(&file.path), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn properties_that_lose_offsets_or_bring_rows_back_are_refused() {
    for (name, value) in [
        ("delta.setTransactionRetentionDuration", "interval 1 day"),
        ("delta.enableDeletionVectors", "true"),
    ] {
        let dir = TempDir::new().expect("a directory");
        open(&dir).await;
        let entry = dir.path().join("calls/_delta_log/00000000000000000000.json");
        let log = std::fs::read_to_string(&entry).expect("a log entry");
        let property = format!("\"configuration\":{{\"{name}\":\"{value}\",");
        let with = log.replace("\"configuration\":{", &property);
        assert_ne!(log, with);
        std::fs::write(&entry, with).expect("a changed entry");
        let opened = open(&dir).await.table(TableName::Calls).snapshot();
        let error = opened.expect_err("refused").to_string();
        assert!(error.contains(name), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_none_is_refused() {
    for url in ["", "gs://bucket/prefix", "s3:///prefix"] {
        let config = LakeConfig { url: url.to_owned(), ..LakeConfig::default() };
        let error = Lake::open(&config, Arc::new(FixedClock(now()))).await.expect_err("refused");
        assert!(matches!(error, LakeError::Location { .. }), "{error}");
    }
}
