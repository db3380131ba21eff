//! A store whose log writes fail before or after they landed, and what a commit makes of it.

use std::collections::VecDeque;
use std::sync::Mutex;

use object_store::ObjectStore;

use super::super::durable::DurableStore;
use super::super::faulty::{Fault, FaultyStore, Request};
use super::super::location::Location;
use super::*;

/// `calls` in a store that fails as told once it is open.
async fn open_faulty(dir: &TempDir, faults: &[Fault]) -> (Table, DurableStore) {
    let inner = DurableStore::new(Durability::Fsync);
    let plan: Arc<Mutex<VecDeque<Fault>>> = Arc::default();
    let planned = Arc::clone(&plan);
    let store = FaultyStore::new(Arc::new(inner.clone()), move |request| match request {
        Request::Put(path) if path.as_ref().contains("_delta_log/") => {
            let is_entry = path.as_ref().ends_with("json");
            if is_entry { planned.lock().expect("the plan").pop_front() } else { None }
        }
        _ => None,
    });
    let root = url::Url::from_directory_path(dir.path()).expect("a URL");
    let location = Location { root, store: Arc::new(store) as Arc<dyn ObjectStore> };
    let clock = Arc::new(FixedClock(now()));
    let table =
        Table::open(TableName::Calls.spec(), &location, clock).await.expect("the table opens");
    plan.lock().expect("the plan").extend(faults);
    (table, inner)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_without_an_answer_lands_once() {
    for fault in [Fault::Before, Fault::After, Fault::AfterAndAgain, Fault::Late] {
        let dir = TempDir::new().expect("a directory");
        let (calls, _) = open_faulty(&dir, &[fault]).await;
        let staged = calls.write(batches(0..4)).await.expect("files");
        let commit = Commit::append(staged, vec![(PARTITION.to_owned(), 4)]);
        let outcome =
            calls.commit(&calls.snapshot().expect("open"), &commit).await.expect("an answer");
        assert!(matches!(outcome, Outcome::Committed(_)), "{fault:?}: {outcome:?}");
        let outcome =
            calls.commit(&calls.snapshot().expect("open"), &commit).await.expect("an answer");
        assert!(matches!(outcome, Outcome::Superseded { stored: 4, .. }), "{outcome:?}");
        assert_eq!(event_ids(&calls).await, expected_ids(0..4), "{fault:?}");
        assert_eq!(calls.version().expect("open"), 1, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_with_a_hole_is_made_again() {
    let dir = TempDir::new().expect("a directory");
    let lake = open(&dir).await;
    append(lake.table(TableName::Calls), 0..4).await;
    append(lake.table(TableName::Calls), 4..8).await;
    let left = Arc::new(Mutex::new(6));
    let planned = Arc::clone(&left);
    let inner = Arc::new(DurableStore::new(Durability::Fsync));
    let store = FaultyStore::new(inner, move |request| {
        let mut left = planned.lock().expect("the plan");
        let fires = matches!(request, Request::List) && *left > 0;
        *left -= i32::from(fires);
        fires.then_some(Fault::Holed)
    });
    let root = url::Url::from_directory_path(dir.path()).expect("a URL");
    let location = Location { root, store: Arc::new(store) as Arc<dyn ObjectStore> };
    let clock = Arc::new(FixedClock(now()));
    let calls = Table::open(TableName::Calls.spec(), &location, clock).await.expect("it opens");
    assert_eq!(*left.lock().expect("the plan"), 0, "the listings were made");
    assert_eq!(event_ids(&calls).await, expected_ids(0..8));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_went_to_another_while_the_answer_was_lost_is_a_conflict() {
    let dir = TempDir::new().expect("a directory");
    let (calls, _) = open_faulty(&dir, &[Fault::Before]).await;
    let on = calls.snapshot().expect("open");
    let (other, _) = open_faulty(&dir, &[]).await;
    let mark = |owner| {
        let mut commit = Commit::append(Vec::new(), Vec::new());
        commit.marks.push(("owner".to_owned(), owner));
        commit
    };
    let theirs = other.commit(&on, &mark(9)).await.expect("an answer");
    assert!(matches!(theirs, Outcome::Committed(_)), "{theirs:?}");
    let ours = calls.commit(&on, &mark(7)).await.expect("an answer");
    let Outcome::Conflicted { newest } = ours else { panic!("{ours:?}") };
    assert_eq!(newest.next_offset("owner").await.expect("a mark"), Some(9));
    let again = calls.commit(&newest, &mark(7)).await.expect("an answer");
    assert!(matches!(again, Outcome::Committed(_)), "a mark may go back: {again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_survives_lost_answers() {
    for fault in [Fault::Before, Fault::After, Fault::AfterAndAgain] {
        let dir = TempDir::new().expect("a directory");
        let (calls, _) = open_faulty(&dir, &[]).await;
        append(&calls, 0..4).await;
        append(&calls, 4..8).await;
        let (calls, _) = open_faulty(&dir, &[fault]).await;
        let merged = Maintenance::new(merging::eager()).run_once(&calls).await.expect("a run");
        assert_eq!((merged.files_merged, merged.merges_given_up), (2, 0), "{fault:?}");
        assert_eq!(event_ids(&calls).await, expected_ids(0..8), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_from_other_faults() {
    let dir = TempDir::new().expect("a directory");
    let (calls, _) = open_faulty(&dir, &[Fault::Full]).await;
    let staged = calls.write(batches(0..4)).await.expect("files");
    let commit = Commit::append(staged, vec![(PARTITION.to_owned(), 4)]);
    let error =
        calls.commit(&calls.snapshot().expect("open"), &commit).await.expect_err("no space");
    assert!(matches!(error, LakeError::NoSpace { .. }) && error.is_retryable(), "{error}");
    let outcome =
        calls.commit(&calls.snapshot().expect("open"), &commit).await.expect("space again");
    assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failed_fsync_nothing_more_is_written() {
    let dir = TempDir::new().expect("a directory");
    let (calls, store) = open_faulty(&dir, &[]).await;
    let staged = calls.write(batches(0..4)).await.expect("files");
    store.refuse();
    let error = calls.write(batches(4..8)).await.expect_err("refused");
    assert!(matches!(error, LakeError::WritesRefused { .. }) && !error.is_retryable(), "{error}");
    let commit = Commit::append(staged, vec![(PARTITION.to_owned(), 4)]);
    let error = calls.commit(&calls.snapshot().expect("open"), &commit).await.expect_err("refused");
    assert!(matches!(error, LakeError::WritesRefused { .. }), "{error}");
    assert_eq!(event_ids(&calls).await, Vec::<String>::new());
}
