//! Maintenance: merges, checkpoints and vacuum beside writers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::*;

/// Merges whatever is small, at once.
pub(super) fn eager() -> MaintenanceConfig {
    let merge_every = crate::setting::Span::millis(0);
    MaintenanceConfig { merge_every, ..MaintenanceConfig::default() }
}

/// Tenant and time of each row, in the file's order.
async fn keys(table: &Table, file: &DataFile) -> Vec<(String, i64)> {
    use arrow::array::AsArray;
    use arrow::datatypes::TimestampMicrosecondType;
    let mut keys = Vec::new();
    for batch in table.read(file, Some(&["tenant", "occurred_at"])).await.expect("rows") {
        let tenants = batch.column_by_name("tenant").expect("a column").as_string::<i32>().clone();
        let times = batch.column_by_name("occurred_at").expect("a column");
        let times = times.as_primitive::<TimestampMicrosecondType>();
        let rows = tenants.iter().zip(times.iter());
        keys.extend(rows.map(|(a, b)| (a.expect("text").to_owned(), b.expect("a time"))));
    }
    keys
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_keeps_rows_offsets_and_order() {
    let dir = TempDir::new().expect("a directory");
    let lake = open(&dir).await;
    let calls = lake.table(TableName::Calls);
    for batch in 0..5 {
        append(calls, batch * 4..batch * 4 + 4).await;
    }
    let moved = Commit::append(Vec::new(), vec![("other".to_owned(), 77)]);
    calls.commit(&calls.snapshot().expect("open"), &moved).await.expect("a commit");

    // Fresh files are sorted, too, and say so: a merge streams them.
    for file in calls.refresh().await.expect("a snapshot").files().await.expect("files").iter() {
        assert!(calls.open_file(file, None).await.expect("a file").is_sorted);
        let keys = keys(calls, file).await;
        assert!(keys.len() == 4 && keys.is_sorted(), "{keys:?}");
    }

    let report = Maintenance::new(eager()).run_once(calls).await.expect("a run");
    assert_eq!(report.files_merged, 5);
    let files = calls.refresh().await.expect("a snapshot").files().await.expect("files");
    let [file] = files.as_ref() else { panic!("{files:?}") };
    assert_eq!(file.records, Some(20));
    assert_eq!(event_ids(calls).await, expected_ids(0..20));
    assert_eq!(calls.next_offset(PARTITION).await.expect("an offset"), Some(20));
    assert_eq!(calls.next_offset("other").await.expect("an offset"), Some(77));

    let keys = keys(calls, file).await;
    assert!(keys.is_sorted(), "{keys:?}");
    let again = Maintenance::new(eager()).run_once(calls).await.expect("a run");
    assert_eq!(again.files_merged, 0, "one file is not merged with itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_merges_from_one_snapshot_one_gives_up() {
    let dir = TempDir::new().expect("a directory");
    let (one, two) = (open(&dir).await, open(&dir).await);
    let (one, two) = (one.table(TableName::Calls), two.table(TableName::Calls));
    for batch in 0..4 {
        append(one, batch * 3..batch * 3 + 3).await;
    }
    two.refresh().await.expect("a snapshot");
    let (mut first, mut second) = (Maintenance::new(eager()), Maintenance::new(eager()));
    let (first, second) = tokio::join!(first.run_once(one), second.run_once(two));
    let merged = first.expect("a run").files_merged + second.expect("a run").files_merged;
    assert_eq!(merged, 4, "the files were merged once");
    assert_eq!(event_ids(one).await, expected_ids(0..12));
}

#[tokio::test(flavor = "multi_thread")]
async fn merges_and_appends_do_not_starve_each_other() {
    let dir = TempDir::new().expect("a directory");
    let (writer, merger) = (open(&dir).await, open(&dir).await);
    let enough = Arc::new(AtomicBool::new(false));
    let is_enough = Arc::clone(&enough);
    let writing = tokio::spawn(async move {
        let calls = writer.table(TableName::Calls).clone();
        let mut batch = 0;
        while batch < 30 || !is_enough.load(Ordering::Relaxed) {
            let begun = tokio::time::Instant::now();
            let staged = calls.write(batches(batch * 2..batch * 2 + 2)).await.expect("files");
            let commit = Commit::append(staged, vec![(PARTITION.to_owned(), batch * 2 + 2)]);
            let mut on = calls.snapshot().expect("open");
            while let Outcome::Conflicted { newest } =
                calls.commit(&on, &commit).await.expect("an answer")
            {
                on = newest;
            }
            batch += 1;
            // Far more often than a commit a second, on a busy machine half of the time.
            tokio::time::sleep(begun.elapsed().max(Duration::from_millis(20))).await;
        }
        (calls, batch * 2)
    });
    let mut maintenance = Maintenance::new(eager());
    let mut merged = 0;
    while !writing.is_finished() {
        let report = maintenance.run_once(merger.table(TableName::Calls)).await.expect("a run");
        merged += report.files_merged;
        enough.store(merged > 0, Ordering::Relaxed);
    }
    let (calls, end) = writing.await.expect("the writer ends");
    assert_eq!(event_ids(&calls).await, expected_ids(0..end));
    assert_eq!(calls.next_offset(PARTITION).await.expect("an offset"), Some(end));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_sums_up_the_log() {
    let dir = TempDir::new().expect("a directory");
    let lake = open(&dir).await;
    let calls = lake.table(TableName::Calls);
    append(calls, 0..2).await;
    let config = MaintenanceConfig { checkpoint_every: 3, ..MaintenanceConfig::default() };
    let mut maintenance = Maintenance::new(config);
    assert_eq!(maintenance.run_once(calls).await.expect("a run").checkpoint, None);
    append(calls, 2..4).await;
    append(calls, 4..6).await;
    // Merging the three files was due, and is version 4.
    let written = maintenance.run_once(calls).await.expect("a run").checkpoint;
    assert_eq!(written, Some(calls.version().expect("open")));
    assert!(matches!(append(calls, 6..8).await, Outcome::Committed(_)));

    let again = open(&dir).await;
    let calls = again.table(TableName::Calls);
    assert_eq!(event_ids(calls).await, expected_ids(0..8));
    assert_eq!(calls.next_offset(PARTITION).await.expect("an offset"), Some(8));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_cleaned_by_the_clock_of_the_store() {
    let dir = TempDir::new().expect("a directory");
    let ahead = crate::time::Clock::now(&crate::time::SystemClock).plus_seconds(10 * 86_400);
    let lake = open_at(&dir, ahead).await;
    let calls = lake.table(TableName::Calls);
    for row in 0..4 {
        append(calls, row..row + 1).await;
    }
    Maintenance::new(eager()).run_once(calls).await.expect("a run");
    // It knows the log's entries, and no checkpoint.
    let reader = open(&dir).await;
    let config = MaintenanceConfig { checkpoint_every: 3, ..MaintenanceConfig::default() };
    let report = Maintenance::new(config.clone()).run_once(calls).await.expect("a run");
    let summed_up = report.checkpoint.expect("a checkpoint");
    append(calls, 4..5).await;
    let report = Maintenance::new(config.clone()).run_once(calls).await.expect("a run");
    assert_eq!(report.entries_deleted, 0, "our clock is ahead: the log is young");

    age_the_log(&dir, calls);
    let report = Maintenance::new(config).run_once(calls).await.expect("a run");
    assert!(report.entries_deleted as u64 >= summed_up, "all below the checkpoint: {report:?}");
    let again = open(&dir).await;
    assert_eq!(event_ids(again.table(TableName::Calls)).await, expected_ids(0..5));
    let reader = reader.table(TableName::Calls);
    assert_eq!(event_ids(reader).await, expected_ids(0..5), "what it knew is gone");
    assert_eq!(reader.next_offset(PARTITION).await.expect("an offset"), Some(5));
}

/// All but the newest entry are three days old.
fn age_the_log(dir: &TempDir, calls: &Table) {
    let log = dir.path().join("calls/_delta_log");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3 * 86_400);
    let last = format!("{:020}.json", calls.version().expect("open"));
    for entry in std::fs::read_dir(log).expect("a log").flatten() {
        if entry.path().is_file() && entry.file_name() != *last {
            let file = std::fs::File::options().write(true).open(entry.path()).expect("a file");
            file.set_modified(old).expect("a time");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_without_the_checkpoint_outlives_the_cleaning() {
    let dir = TempDir::new().expect("a directory");
    let today = crate::time::Clock::now(&crate::time::SystemClock);
    let lake = open_at(&dir, today).await;
    let calls = lake.table(TableName::Calls);
    for row in 0..4 {
        append(calls, row..row + 1).await;
    }
    Maintenance::new(eager()).run_once(calls).await.expect("a run");
    let reader = open_at(&dir, today).await;
    let reader = reader.table(TableName::Calls);
    let config = MaintenanceConfig { checkpoint_every: 3, ..MaintenanceConfig::default() };
    let report = Maintenance::new(config.clone()).run_once(calls).await.expect("a run");
    assert_eq!(report.checkpoint, reader.version().ok(), "it has not seen it");
    append(calls, 4..5).await;
    age_the_log(&dir, calls);
    let report = Maintenance::new(config).run_once(calls).await.expect("a run");
    assert!(report.entries_deleted > 0, "{report:?}");
    assert_eq!(event_ids(reader).await, expected_ids(0..5));
    assert_eq!(reader.next_offset(PARTITION).await.expect("an offset"), Some(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_keeps_up_with_commits_merges_checkpoints_and_cleaning() {
    let dir = TempDir::new().expect("a directory");
    let today = crate::time::Clock::now(&crate::time::SystemClock);
    let (lake, others) = (open_at(&dir, today).await, open_at(&dir, today).await);
    let (calls, reader) = (lake.table(TableName::Calls), others.table(TableName::Calls).clone());
    let stop = Arc::new(AtomicBool::new(false));
    let reading = tokio::spawn({
        let (reader, stop) = (reader.clone(), Arc::clone(&stop));
        async move {
            let (mut version, mut read) = (0, 0);
            while !stop.load(Ordering::Relaxed) {
                let newest = reader.refresh().await.expect("a snapshot");
                assert!(newest.version() >= version, "{version} was there");
                version = newest.version();
                // Its log may be gone by now: here, what is kept is milliseconds old.
                let (files, end) = (newest.files().await, newest.next_offset(PARTITION).await);
                let (Ok(files), Ok(end)) = (files, end) else { continue };
                let rows: Option<u64> = files.iter().map(|file| file.records).sum();
                assert_eq!(rows, Some(end.unwrap_or_default().cast_unsigned()), "at {version}");
                read += 1;
            }
            read
        }
    });
    let clean_every = crate::setting::Span::millis(0);
    let config = MaintenanceConfig { checkpoint_every: 5, clean_every, ..eager() };
    let (mut maintenance, mut cleaned) = (Maintenance::new(config), 0);
    for row in 0..60 {
        append(calls, row..row + 1).await;
        if row % 7 == 6 {
            age_the_log(&dir, calls);
            cleaned += maintenance.run_once(calls).await.expect("a run").entries_deleted;
        }
    }
    stop.store(true, Ordering::Relaxed);
    assert!(reading.await.expect("no panic") > 0 && cleaned > 40, "{cleaned}");
    assert_eq!(event_ids(&reader).await, expected_ids(0..60));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_nothing_names_are_deleted_late() {
    let dir = TempDir::new().expect("a directory");
    let lake = open(&dir).await;
    let calls = lake.table(TableName::Calls);
    append(calls, 0..2).await;
    append(calls, 2..4).await;
    let staged = calls.write(batches(4..5)).await.expect("a file that is never committed");
    let mut maintenance = Maintenance::new(eager());
    let report = maintenance.run_once(calls).await.expect("a run");
    assert_eq!((report.files_merged, report.files_deleted), (2, 0));

    let day_after = open_at(&dir, now().plus_seconds(26 * 3_600)).await;
    let calls = day_after.table(TableName::Calls);
    let report = maintenance.run_once(calls).await.expect("a run");
    assert_eq!(report.files_deleted, 3, "two merged files and one never committed");
    assert_eq!(staged.len(), 1);
    assert_eq!(event_ids(calls).await, expected_ids(0..4));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_writer_left_is_swept() {
    let dir = TempDir::new().expect("a directory");
    append(open(&dir).await.table(TableName::Calls), 0..2).await;
    let left = dir.path().join("calls/_delta_log/00000000000000000002.json#123");
    std::fs::write(&left, "half").expect("a file");
    // The file was just written by the machine's clock, which may be ahead of the tests'.
    let later = crate::time::Clock::now(&crate::time::SystemClock).plus_seconds(26 * 3_600);
    for (at, deleted) in [(later.plus_seconds(-20 * 3_600), 0), (later, 1)] {
        let lake = open_at(&dir, at).await;
        let mut maintenance = Maintenance::new(MaintenanceConfig::default());
        let report = maintenance.run_once(lake.table(TableName::Calls)).await.expect("a run");
        assert_eq!(report.files_deleted, deleted);
    }
    assert!(!left.exists());
    let lake = open_at(&dir, later).await;
    assert_eq!(event_ids(lake.table(TableName::Calls)).await, expected_ids(0..2));
}

#[tokio::test(flavor = "multi_thread")]
async fn large_sorted_files_are_merged_in_parts() {
    let dir = TempDir::new().expect("a directory");
    let lake = open(&dir).await;
    let calls = lake.table(TableName::Calls);
    let mut maintenance = Maintenance::new(eager());
    for half in 0..4 {
        append(calls, half * 1_000..half * 1_000 + 500).await;
        append(calls, half * 1_000 + 500..half * 1_000 + 1_000).await;
        maintenance.run_once(calls).await.expect("a run");
    }
    let files = calls.refresh().await.expect("a snapshot").files().await.expect("files");
    let [file] = files.as_ref() else { panic!("{files:?}") };
    assert_eq!(event_ids(calls).await, expected_ids(0..4_000));
    let keys = keys(calls, file).await;
    assert_eq!(keys.len(), 4_000);
    assert!(keys.is_sorted());
    assert_eq!(rows_of_a_group(&dir, file), 64, "small: it will be merged again");

    append(calls, 4_000..4_100).await;
    let lake = open_at(&dir, now().plus_seconds(14 * 3_600)).await;
    let kept = Maintenance::new(MaintenanceConfig::default()).close_day(&lake).await;
    assert_eq!(kept.expect("a close").map(|day| (day.files, day.rows)), Some((1, 4_100)));
    let files = calls.refresh().await.expect("a snapshot").files().await.expect("files");
    assert_eq!(files.first().map(|file| rows_of_a_group(&dir, file)), Some(256));
}

/// The most rows in a row group.
fn rows_of_a_group(dir: &TempDir, file: &DataFile) -> i64 {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let file = std::fs::File::open(dir.path().join("calls").join(&file.path)).expect("a file");
    let reader = SerializedFileReader::new(file).expect("a Parquet file");
    let groups = reader.metadata().row_groups().iter();
    groups.map(|group| group.num_rows()).max().expect("a row group")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_without_a_sort_key_is_merged_in_order() {
    let dir = TempDir::new().expect("a directory");
    let lake = open(&dir).await;
    let control = lake.table(TableName::Control);
    for number in 0..3_i64 {
        let mut rows = Rows::default();
        rows.push(&tables::key(&format!("k{number}")));
        let staged = control.write(rows.finish().expect("batches")).await.expect("a file");
        let commit = Commit::append(staged, vec![("control".to_owned(), number + 1)]);
        control.commit(&control.snapshot().expect("open"), &commit).await.expect("a commit");
    }
    let report = Maintenance::new(eager()).run_once(control).await.expect("a run");
    assert_eq!(report.files_merged, 3);
    let files = control.refresh().await.expect("a snapshot").files().await.expect("files");
    let rows = control.read(files.first().expect("a file"), Some(&["key_id"])).await;
    let rows: usize = rows.expect("rows").iter().map(|batch| batch.num_rows()).sum();
    assert_eq!((files.len(), rows), (1, 3));
}
