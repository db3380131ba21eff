//! A store whose log writes fail before or after they landed, and what a commit makes of it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Mutex;

use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use super::super::durable::DurableStore;
use super::super::location::Location;
use super::*;

/// How a write of a log entry fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Nothing was written.
    Before,
    /// It was written, but the answer was lost.
    After,
    /// It was written, and the client tried again by itself: the version is taken.
    AfterAndAgain,
    /// No space is left.
    Full,
}

#[derive(Debug)]
struct FaultyStore {
    inner: DurableStore,
    faults: Mutex<VecDeque<Fault>>,
}

impl FaultyStore {
    fn next_fault(&self, location: &Path) -> Option<Fault> {
        let is_entry =
            location.as_ref().contains("_delta_log/") && location.as_ref().ends_with("json");
        if is_entry { self.faults.lock().expect("the faults").pop_front() } else { None }
    }
}

fn failure(source: std::io::Error) -> Error {
    Error::Generic { store: "faulty", source: Box::new(source) }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "faulty {}", self.inner)
    }
}

#[async_trait::async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        let fault = self.next_fault(location);
        if fault == Some(Fault::Before) {
            return Err(failure(std::io::ErrorKind::TimedOut.into()));
        }
        if fault == Some(Fault::Full) {
            return Err(failure(std::io::ErrorKind::StorageFull.into()));
        }
        let result = self.inner.put_opts(location, payload.clone(), opts.clone()).await?;
        match fault {
            Some(Fault::After) => Err(failure(std::io::ErrorKind::TimedOut.into())),
            Some(_) => self.inner.put_opts(location, payload, opts).await,
            None => Ok(result),
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// `calls` in a store that fails as told once it is open.
async fn open_faulty(dir: &TempDir, faults: &[Fault]) -> (Table, DurableStore) {
    let inner = DurableStore::new(Durability::Fsync);
    let store = Arc::new(FaultyStore { inner: inner.clone(), faults: Mutex::default() });
    let root = url::Url::from_directory_path(dir.path()).expect("a URL");
    let location = Location { root, store: Arc::clone(&store) as Arc<dyn ObjectStore> };
    let clock = Arc::new(FixedClock(now()));
    let table =
        Table::open(TableName::Calls.spec(), &location, clock).await.expect("the table opens");
    store.faults.lock().expect("the faults").extend(faults);
    (table, inner)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_outcome_is_resolved_by_reading_the_log() {
    for (fault, landed) in [(Fault::Before, false), (Fault::After, true)] {
        let dir = TempDir::new().expect("a directory");
        let (calls, _) = open_faulty(&dir, &[fault]).await;
        let staged = calls.write(batches(0..4)).await.expect("files");
        let commit = Commit::append(staged, vec![(PARTITION.to_owned(), 4)]);
        let error = calls.commit(&calls.snapshot(), &commit).await.expect_err("no answer");
        assert!(matches!(error, LakeError::OutcomeUnknown { .. }), "{error}");
        assert_eq!(calls.landed(&commit).await.expect("an answer"), landed);
        if !landed {
            let outcome = calls.commit(&calls.snapshot(), &commit).await.expect("an answer");
            assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
        }
        assert_eq!(event_ids(&calls).await, expected_ids(0..4));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_with_oneself_is_found_out() {
    let dir = TempDir::new().expect("a directory");
    let (calls, _) = open_faulty(&dir, &[Fault::AfterAndAgain]).await;
    let staged = calls.write(batches(0..4)).await.expect("files");
    let commit = Commit::append(staged, vec![(PARTITION.to_owned(), 4)]);
    let outcome = calls.commit(&calls.snapshot(), &commit).await.expect("an answer");
    assert!(matches!(outcome, Outcome::Conflicted { version: 1 }), "{outcome:?}");
    let on = calls.refresh().await.expect("a snapshot");
    assert!(calls.landed(&commit).await.expect("an answer"));
    let outcome = calls.commit(&on, &commit).await.expect("an answer");
    assert!(matches!(outcome, Outcome::Superseded { stored: 4, .. }), "{outcome:?}");
    assert_eq!(event_ids(&calls).await, expected_ids(0..4));
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
    let error = calls.commit(&calls.snapshot(), &commit).await.expect_err("no space");
    assert!(matches!(error, LakeError::NoSpace { .. }) && error.is_retryable(), "{error}");
    let outcome = calls.commit(&calls.snapshot(), &commit).await.expect("space again");
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
    let error = calls.commit(&calls.snapshot(), &commit).await.expect_err("refused");
    assert!(matches!(error, LakeError::WritesRefused { .. }), "{error}");
    assert_eq!(event_ids(&calls).await, Vec::<String>::new());
}
