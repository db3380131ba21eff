//! Commits: rows and offsets together, conflicts, what a second look finds.

use object_store::ObjectStoreExt;

use super::*;
use crate::setting::ByteSize;

#[tokio::test(flavor = "multi_thread")]
async fn rows_and_offsets_land_in_one_commit() {
    let dir = TempDir::new().expect("a directory");
    let lake = open(&dir).await;
    let calls = lake.table(TableName::Calls);
    assert_eq!(calls.next_offset(PARTITION).await.expect("an offset"), None);
    let outcome = append(calls, 0..10).await;
    assert!(matches!(&outcome, Outcome::Committed(snapshot) if snapshot.version() == 1));
    assert_eq!(calls.next_offset(PARTITION).await.expect("an offset"), Some(10));

    let again = open(&dir).await;
    let calls = again.table(TableName::Calls);
    assert_eq!(calls.version().expect("open"), 1);
    assert_eq!(calls.next_offset(PARTITION).await.expect("an offset"), Some(10));
    assert_eq!(event_ids(calls).await, expected_ids(0..10));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offset_moves_without_a_file() {
    let dir = TempDir::new().expect("a directory");
    let lake = open(&dir).await;
    let calls = lake.table(TableName::Calls);
    let commit = Commit::append(Vec::new(), vec![(PARTITION.to_owned(), 5)]);
    let outcome = calls.commit(&calls.snapshot().expect("open"), &commit).await.expect("a commit");
    assert!(matches!(outcome, Outcome::Committed(_)));
    let again = open(&dir).await;
    let calls = again.table(TableName::Calls);
    assert_eq!(calls.next_offset(PARTITION).await.expect("an offset"), Some(5));
    assert!(calls.snapshot().expect("open").files().await.expect("files").is_empty());
    let root = super::super::table::path_of(calls.root()).expect("a path");
    let entry = root.join("_delta_log").join("00000000000000000001.json");
    let log = calls.object_store().get(&entry).await.expect("a log entry").bytes().await;
    let log = String::from_utf8(log.expect("bytes").to_vec()).expect("text");
    assert!(!log.contains("\"isBlindAppend\":true"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_transactions_follow_what_others_commit() {
    let dir = TempDir::new().expect("a directory");
    let (one, two) = (open(&dir).await, open(&dir).await);
    let (one, follower) = (one.table(TableName::Calls), two.table(TableName::Calls));
    append(one, 0..4).await;
    let known = follower.refresh().await.expect("a snapshot");
    assert_eq!(known.files().await.expect("files").len(), 1);
    assert_eq!(known.next_offset(PARTITION).await.expect("an offset"), Some(4));
    assert_eq!(known.next_offset("other").await.expect("an offset"), None);

    let move_other = async |next: i64| {
        let commit = Commit::append(Vec::new(), vec![("other".to_owned(), next)]);
        let committed = one.commit(&one.snapshot().expect("open"), &commit).await;
        assert!(matches!(committed, Ok(Outcome::Committed(_))), "{committed:?}");
    };
    append(one, 4..8).await;
    move_other(1).await;
    let merged = Maintenance::new(super::merging::eager()).run_once(one).await.expect("a run");
    assert_eq!(merged.files_merged, 2);
    move_other(2).await;
    follows(follower, &dir, Some(2)).await;
    // More versions than are read one by one.
    for next in 3..75 {
        move_other(next).await;
    }
    append(one, 8..10).await;
    follows(follower, &dir, Some(74)).await;
}

/// A table that has followed knows what one that is opened anew does.
async fn follows(follower: &Table, dir: &TempDir, other: Option<i64>) {
    let lake = open(dir).await;
    let anew = lake.table(TableName::Calls).snapshot().expect("open");
    let followed = follower.refresh().await.expect("a snapshot");
    assert_eq!(followed.version(), anew.version());
    assert_eq!(followed.next_offset("other").await.expect("an offset"), other);
    for app_id in [PARTITION, "other", "nobody"] {
        let expected = anew.next_offset(app_id).await.expect("an offset");
        assert_eq!(followed.next_offset(app_id).await.expect("an offset"), expected, "{app_id}");
    }
    let sorted = async |snapshot: &Snapshot| {
        let mut files = snapshot.files().await.expect("files").to_vec();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files
    };
    assert_eq!(sorted(&followed).await, sorted(&anew).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_writers_one_conflicts_and_registers_its_file_again() {
    let dir = TempDir::new().expect("a directory");
    let (one, two) = (open(&dir).await, open(&dir).await);
    let (one, two) = (one.table(TableName::Calls), two.table(TableName::Calls));
    assert!(matches!(append(one, 0..4).await, Outcome::Committed(_)));

    let staged = two.write(batches(4..6)).await.expect("files are written");
    let commit = Commit::append(staged, vec![("other".to_owned(), 6)]);
    let outcome = two.commit(&two.snapshot().expect("open"), &commit).await.expect("an answer");
    let Outcome::Conflicted { newest: on } = outcome else { panic!("{outcome:?}") };
    assert_eq!(on.version(), 1);
    assert_eq!(on.next_offset(PARTITION).await.expect("an offset"), Some(4));
    let outcome = two.commit(&on, &commit).await.expect("an answer");
    assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    assert_eq!(event_ids(one).await, expected_ids(0..6));
    assert_eq!(one.next_offset(PARTITION).await.expect("an offset"), Some(4));
    assert_eq!(one.next_offset("other").await.expect("an offset"), Some(6));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_is_never_committed_twice_and_an_offset_never_goes_back() {
    let dir = TempDir::new().expect("a directory");
    let (one, zombie) = (open(&dir).await, open(&dir).await);
    let (one, zombie) = (one.table(TableName::Calls), zombie.table(TableName::Calls));
    append(one, 0..4).await;
    let on = zombie.refresh().await.expect("a snapshot");
    let staged = zombie.write(batches(0..4)).await.expect("files are written");
    for next in [4, 3] {
        let commit = Commit::append(staged.clone(), vec![(PARTITION.to_owned(), next)]);
        let outcome = zombie.commit(&on, &commit).await.expect("an answer");
        assert!(matches!(outcome, Outcome::Superseded { stored: 4, .. }), "{outcome:?}");
    }
    zombie.discard(&staged).await;
    assert_eq!(event_ids(one).await, expected_ids(0..4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_without_a_transaction_is_refused() {
    let dir = TempDir::new().expect("a directory");
    let lake = open(&dir).await;
    let calls = lake.table(TableName::Calls);
    let commit = Commit::append(Vec::new(), Vec::new());
    let error = calls.commit(&calls.snapshot().expect("open"), &commit).await.expect_err("refused");
    assert!(matches!(error, LakeError::Internal { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_long_pause_the_snapshot_is_not_built_upon() {
    let dir = TempDir::new().expect("a directory");
    let early = open(&dir).await;
    let stale = early.table(TableName::Calls).snapshot().expect("open");
    let later = open_at(&dir, now().plus_seconds(3_601)).await;
    let calls = later.table(TableName::Calls);
    let commit = Commit::append(Vec::new(), vec![(PARTITION.to_owned(), 1)]);
    let outcome = calls.commit(&stale, &commit).await.expect("an answer");
    assert!(matches!(outcome, Outcome::Conflicted { .. }), "{outcome:?}");
    let on = calls.refresh().await.expect("a snapshot");
    let outcome = calls.commit(&on, &commit).await.expect("an answer");
    assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn identities_of_all_files_and_of_those_that_others_added() {
    use futures::TryStreamExt;
    let dir = TempDir::new().expect("a directory");
    let lake = open(&dir).await;
    let calls = lake.table(TableName::Calls);
    append(calls, 0..3).await;
    let known = calls.version().expect("open");
    append(calls, 3..5).await;

    let snapshot = calls.snapshot().expect("open");
    let files = snapshot.files().await.expect("files");
    let all: Vec<Counted> = calls.identities(&files).try_concat().await.expect("identities");
    assert_eq!(all.len(), 5);

    let added = calls.added_since(known, &snapshot).await.expect("an answer").expect("the log");
    let new: Vec<Counted> = calls.identities(&added).try_concat().await.expect("identities");
    let expected = charge("event-3", "globex", now().plus_seconds(-3)).identity;
    assert_eq!(new.len(), 2);
    assert!(new.contains(&Counted { identity: expected, is_provisional: false }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_files_follows_from_an_earlier_one() {
    let dir = TempDir::new().expect("a directory");
    let lake = open(&dir).await;
    let calls = lake.table(TableName::Calls);
    for batch in 0..6 {
        append(calls, batch * 2..batch * 2 + 2).await;
        // Listed at every other version only: what follows spans several log entries.
        if batch % 2 == 0 {
            calls.snapshot().expect("open").files().await.expect("files");
        }
        if batch == 3 {
            Maintenance::new(merging::eager()).run_once(calls).await.expect("a run");
        }
    }
    let paths = |files: &[DataFile]| {
        let mut files = files.to_vec();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files
    };
    let followed = calls.snapshot().expect("open").files().await.expect("files");
    let again = open(&dir).await;
    let listed =
        again.table(TableName::Calls).snapshot().expect("open").files().await.expect("files");
    assert_eq!(followed.len(), 3);
    assert_eq!(paths(&followed), paths(&listed));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amended_range_keeps_its_later_offset() {
    let dir = TempDir::new().expect("a directory");
    let lake = open(&dir).await;
    let calls = lake.table(TableName::Calls);
    append(calls, 5..10).await;
    let staged = calls.write(batches(0..2)).await.expect("files are written");
    let mut commit = Commit::append(staged, vec![(PARTITION.to_owned(), 2)]);
    let outcome = calls.commit(&calls.snapshot().expect("open"), &commit).await.expect("an answer");
    assert!(matches!(outcome, Outcome::Superseded { stored: 10, .. }), "{outcome:?}");
    commit.amends = true;
    let outcome = calls.commit(&calls.snapshot().expect("open"), &commit).await.expect("an answer");
    assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    let again = open(&dir).await;
    let calls = again.table(TableName::Calls);
    assert_eq!(calls.next_offset(PARTITION).await.expect("an offset"), Some(10));
    assert_eq!(event_ids(calls).await, [expected_ids(0..2), expected_ids(5..10)].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_start_together_create_each_table_once() {
    let dir = TempDir::new().expect("a directory");
    let lakes = futures::future::join_all((0..4).map(|_| open(&dir))).await;
    for (number, lake) in lakes.iter().enumerate() {
        let calls = lake.table(TableName::Calls);
        let commit = Commit::append(Vec::new(), vec![(format!("instance-{number}"), 1)]);
        let on = calls.refresh().await.expect("a snapshot");
        let outcome = calls.commit(&on, &commit).await.expect("an answer");
        assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    }
    assert_eq!(open(&dir).await.table(TableName::Calls).version().expect("open"), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_a_vacuum_took_while_its_writer_was_paused_is_never_named() {
    let dir = TempDir::new().expect("a directory");
    let staged = {
        let lake = open(&dir).await;
        lake.table(TableName::Calls).write(batches(0..3)).await.expect("files are written")
    };
    // Paused for a day, and meanwhile vacuumed by somebody else.
    let lake = open_at(&dir, now().plus_seconds(86_400)).await;
    let calls = lake.table(TableName::Calls);
    let commit = Commit::append(staged.clone(), vec![(PARTITION.to_owned(), 3)]);
    calls.discard(&staged).await;
    let error = calls
        .commit(&calls.snapshot().expect("open"), &commit)
        .await
        .expect_err("the file is gone");
    assert!(error.is_retryable(), "{error}");
    let path = &staged.first().expect("a file").path;
    assert!(error.to_string().contains(path), "{error}");
    append(calls, 0..3).await;
    assert_eq!(event_ids(calls).await, expected_ids(0..3));
}

/// Has a table vacuumed by a process of its own, which has been looking for a day.
async fn vacuum_for_a_day(dir: &TempDir) {
    let mut maintenance = Maintenance::new(MaintenanceConfig::default());
    for hours in [0, 26] {
        let lake = open_at(dir, now().plus_seconds(hours * 3_600)).await;
        let table = lake.table(TableName::Calls);
        maintenance.run_once(table).await.expect("maintained");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_writer_names_nothing_that_a_vacuum_may_take_at_that_moment() {
    let dir = TempDir::new().expect("a directory");
    let lake = open(&dir).await;
    let calls = lake.table(TableName::Calls);
    append(calls, 0..3).await;
    let staged = calls.write(batches(3..5)).await.expect("files are written");
    let before = calls.snapshot().expect("open");
    vacuum_for_a_day(&dir).await;
    let commit = Commit::append(staged.clone(), vec![(PARTITION.to_owned(), 5)]);
    // Whoever looked at the file before the vacuum, and commits after it, meets its mark.
    let outcome = calls.commit(&before, &commit).await.expect("an answer");
    let Outcome::Conflicted { newest } = outcome else { panic!("{outcome:?}") };
    // Also were the file still there.
    let error = calls.commit(&newest, &commit).await.expect_err("it may be gone");
    assert!(error.is_retryable() && error.to_string().contains("vacuumed"), "{error}");
    append(calls, 3..5).await;
    assert_eq!(event_ids(calls).await, expected_ids(0..5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_named_at_the_last_moment_stays() {
    let dir = TempDir::new().expect("a directory");
    let lake = open(&dir).await;
    let calls = lake.table(TableName::Calls);
    append(calls, 0..3).await;
    let staged = calls.write(batches(3..5)).await.expect("files are written");
    // Nothing is merged: what a merge replaces may go.
    let config = MaintenanceConfig { small_file: ByteSize(0), ..MaintenanceConfig::default() };
    let mut maintenance = Maintenance::new(config);
    maintenance.run_once(calls).await.expect("maintained");
    let commit = Commit::append(staged, vec![(PARTITION.to_owned(), 5)]);
    let outcome = calls.commit(&calls.refresh().await.expect("open"), &commit).await;
    assert!(matches!(outcome, Ok(Outcome::Committed(_))), "{outcome:?}");
    let later = open_at(&dir, now().plus_seconds(26 * 3_600)).await;
    let report = maintenance.run_once(later.table(TableName::Calls)).await.expect("maintained");
    assert_eq!(report.files_deleted, 0, "{report:?}");
    assert_eq!(event_ids(later.table(TableName::Calls)).await, expected_ids(0..5));
}
