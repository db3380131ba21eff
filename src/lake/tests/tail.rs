//! The end of a log, found by its names.

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use super::super::durable::DurableStore;
use super::super::tail::Tail;
use super::*;

/// A log of these versions, some with a checkpoint, and the hint of the newest one.
async fn log(dir: &TempDir, versions: std::ops::Range<u64>, checkpoints: &[u64]) -> Path {
    let log = Path::from_absolute_path(dir.path()).expect("a path").join("_delta_log");
    let store = DurableStore::new(Durability::Os);
    let put = async |name: String, content: String| {
        let payload = PutPayload::from(content.into_bytes());
        store.put(&log.clone().join(name), payload).await.expect("put");
    };
    for version in versions {
        put(format!("{version:020}.json"), format!("{{\"version\":{version}}}")).await;
    }
    for version in checkpoints {
        put(format!("{version:020}.checkpoint.parquet"), "checkpoint".to_owned()).await;
    }
    if let Some(version) = checkpoints.last() {
        put("_last_checkpoint".to_owned(), format!("{{\"version\":{version},\"size\":1}}")).await;
    }
    log
}

async fn delete(log: &Path, version: u64) {
    let store = DurableStore::new(Durability::Os);
    store.delete(&log.clone().join(format!("{version:020}.json"))).await.expect("deleted");
}

/// Names and sizes of what follows a version, by that store.
async fn listed(store: &dyn ObjectStore, log: &Path, first: u64) -> Vec<(String, u64)> {
    let offset = log.clone().join(format!("{first:020}"));
    let metas: Vec<_> =
        store.list_with_offset(Some(log), &offset).try_collect().await.expect("a listing");
    let mut names: Vec<_> = metas
        .iter()
        .map(|meta| (meta.location.to_string(), meta.size))
        // The kernel reads no further than the last version.
        .filter(|(name, _)| !name.ends_with("_last_checkpoint"))
        .collect();
    names.sort();
    names
}

/// The tail lists what the directory has.
async fn agrees(log: &Path, first: u64) {
    let below: Arc<dyn ObjectStore> = Arc::new(DurableStore::new(Durability::Os));
    let tail = Tail::over(Arc::clone(&below));
    let (by_names, by_listing) =
        (listed(&tail, log, first).await, listed(below.as_ref(), log, first).await);
    assert_eq!(by_names, by_listing, "from {first}");
}

#[tokio::test]
async fn names_say_what_a_listing_says() {
    let dir = TempDir::new().expect("a directory");
    let log = log(&dir, 0..250, &[100, 200]).await;
    for first in [0, 1, 99, 100, 101, 150, 200, 201, 249, 250, 251, 400] {
        agrees(&log, first).await;
    }
}

#[tokio::test]
async fn where_a_version_is_missing_the_directory_is_listed() {
    let dir = TempDir::new().expect("a directory");
    let log = log(&dir, 0..250, &[100, 200]).await;
    // The cleaning is under way, in no order.
    for version in [3, 7, 20, 60, 99] {
        delete(&log, version).await;
    }
    for first in [0, 3, 4, 50, 60, 61, 99, 100, 101] {
        agrees(&log, first).await;
    }
}

#[tokio::test]
async fn without_a_hint_that_says_so_no_end_is_believed() {
    let dir = TempDir::new().expect("a directory");
    let log = log(&dir, 0..250, &[100, 200]).await;
    delete(&log, 60).await;
    let hint = dir.path().join("_delta_log/_last_checkpoint");
    // Of an earlier checkpoint than that of the version before, broken, empty, gone.
    for content in [r#"{"version":30,"size":1}"#, "{\"version\":", ""] {
        std::fs::write(&hint, content).expect("written");
        for first in [50, 101, 201] {
            agrees(&log, first).await;
        }
    }
    std::fs::remove_file(&hint).expect("removed");
    for first in [50, 101, 201] {
        agrees(&log, first).await;
    }
}

#[tokio::test]
async fn a_long_way_is_listed() {
    let dir = TempDir::new().expect("a directory");
    let log = log(&dir, 0..1_100, &[]).await;
    for first in [0, 75, 76, 77, 1_000] {
        agrees(&log, first).await;
    }
}

#[tokio::test]
async fn what_follows_a_name_is_listed() {
    let dir = TempDir::new().expect("a directory");
    let log = log(&dir, 0..3, &[1]).await;
    let tail = Tail::over(Arc::new(DurableStore::new(Durability::Os)));
    let after = log.clone().join(format!("{:020}.json", 1));
    let names: Vec<_> = tail
        .list_with_offset(Some(&log), &after)
        .map_ok(|meta| meta.location.filename().unwrap_or_default().to_owned())
        .try_collect()
        .await
        .expect("a listing");
    let expected = [format!("{:020}.json", 2), "_last_checkpoint".to_owned()];
    assert_eq!(names.into_iter().collect::<std::collections::BTreeSet<_>>(), expected.into());
}
