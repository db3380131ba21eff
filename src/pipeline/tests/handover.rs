//! A partition that was lost stays lost until it is owned anew, also when the commit that noticed
//! it fails: its dropped events would be skipped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use object_store::memory::InMemory;

use super::lineage::dead_letter;
use crate::lake::faulty::{Fault, FaultyStore, Request};
use crate::lake::{Commit, Lake, TableName};
use crate::pipeline::batch::Decided;
use crate::pipeline::committer::Committer;
use crate::source::{Origin, Partition};
use crate::time::SystemClock;

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
