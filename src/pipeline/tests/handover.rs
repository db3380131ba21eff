//! A partition that was lost stays lost until it is owned anew, also when the commit that noticed
//! it fails: its dropped events would be skipped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use object_store::memory::InMemory;

use super::lineage::dead_letter;
use crate::attribution::{Rules, Sender};
use crate::charge::meter;
use crate::event::{Lineage, decode_call_event};
use crate::lake::faulty::{Fault, FaultyStore, Request};
use crate::lake::{CallRow, Commit, Correction, Lake, TableName};
use crate::pipeline::Books;
use crate::pipeline::batch::{Decided, Pending};
use crate::pipeline::committer::Committer;
use crate::pipeline::identities::{CountedIdentities, Verdict};
use crate::source::{Origin, Partition};
use crate::time::{Clock, SystemClock};

fn partition(number: i32) -> Arc<Partition> {
    Arc::new(Partition {
        app_id: format!("main/c/raw/1/{number}"),
        topic: "raw".to_owned(),
        number,
        origin: Origin::Raw { namespace: "local".to_owned() },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_commit_does_not_forget_what_was_lost() {
    let fails = Arc::new(AtomicBool::new(false));
    let armed = Arc::clone(&fails);
    let store = FaultyStore::new(Arc::new(InMemory::new()), move |request| {
        let is_entry = matches!(request, Request::Put(path)
            if path.as_ref().contains("calls/_delta_log/"));
        (is_entry && armed.swap(false, Ordering::Relaxed)).then_some(Fault::Full)
    });
    let root = url::Url::parse("memory:///lake/").expect("a URL");
    let lake = Lake::open_in(root, Arc::new(store), Arc::new(SystemClock)).await.expect("a lake");
    let lake = Arc::new(lake);
    let mut committer =
        Committer::open(Arc::clone(&lake), 0, &std::env::temp_dir()).await.expect("a committer");
    let (taken, kept) = (partition(0), partition(1));
    for partition in [&taken, &kept] {
        committer.own(partition, 0).await.expect("owned");
    }

    // Another process begins to take the partition over, and dies after the first of its marks.
    let dead_letters = lake.table(TableName::DeadLetters);
    let mut mark = Commit::append(Vec::new(), Vec::new());
    mark.marks.push((format!("{}/owner", taken.app_id), 7));
    let on = dead_letters.refresh().await.expect("a version");
    dead_letters.commit(&on, &mark).await.expect("marked");

    let mut decided = Decided {
        dead: vec![dead_letter(&taken.app_id, 0)],
        next: vec![(taken.clone(), 1), (kept.clone(), 1)],
        ..Decided::default()
    };
    fails.store(true, Ordering::Relaxed);
    let error = committer.commit(&mut decided).await.expect_err("no space");
    assert!(error.is_retryable(), "{error}");
    assert!(!fails.load(Ordering::Relaxed), "it failed at the log entry of `calls`");
    committer.commit(&mut decided).await.expect("committed");
    assert_eq!(decided.lost, std::slice::from_ref(&taken), "it is to be owned anew");
    assert_eq!(decided.next, [(kept.clone(), 1)]);

    let owned = committer.own(&taken, 0).await.expect("owned anew");
    assert_eq!(owned.next, 0, "nothing of it was committed");
    let calls = lake.table(TableName::Calls).refresh().await.expect("a version");
    assert_eq!(calls.next_offset(&kept.app_id).await.expect("an offset"), Some(1));
}

/// The row of an event, always of one identity.
fn row(tokens: u32) -> CallRow {
    let event = serde_json::json!({
        "event_id": "e", "source": "s", "occurred_at": "2026-11-23T12:00:00Z",
        "provider": "openai", "api": "chat.completions", "model": "gpt-5-mini",
        "usage": {"prompt_tokens": tokens, "completion_tokens": 3},
    });
    let event = decode_call_event(event.to_string().as_bytes()).expect("an event");
    let book = Books::open(&crate::pricing::Config::default()).expect("a book").current();
    let charge = meter(event, &book, &Rules::default(), &Sender::default()).expect("a charge");
    let lineage = Lineage { topic: "raw".to_owned(), partition: 0, offset: 0, index: 0 };
    CallRow::new(charge, lineage, SystemClock.now()).expect("a row")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_of_what_was_dropped_counts_nothing() {
    let root = url::Url::parse("memory:///lake/").expect("a URL");
    let lake = Lake::open_in(root, Arc::new(InMemory::new()), Arc::new(SystemClock)).await;
    let version = lake.expect("a lake").table(TableName::Calls).refresh().await.expect("a version");
    let mut counted = CountedIdentities::bounded(usize::MAX, &std::env::temp_dir());
    let correction = || Correction { row: row(9), app_id: "main".to_owned(), reason: "correction" };
    let queued = || Decided { corrections_committed: vec![correction()], ..Decided::default() };
    let (first, later) = (row(7).charge.identity, row(9).charge.identity);

    // The row that it was to change was in the same batch, and was lost with its partition.
    counted.landed(&queued(), &version);
    assert_eq!(counted.seen.judge(&first), Verdict::New, "it will come again");

    let accepted_at = SystemClock.now();
    let pending = Pending { row: row(7), accepted_at, size_bytes: 0, partition: partition(0) };
    counted.landed(&Decided { rows: vec![Box::new(pending)], ..queued() }, &version);
    assert_eq!(counted.seen.judge(&later), Verdict::Duplicate);
    assert_eq!(counted.seen.judge(&first), Verdict::Conflict);
}
