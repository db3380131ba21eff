//! Torn files: what a power loss leaves of a write that was not durable, or a copy that broke off.
//! Each is a clear error that names the file, or harmless; never other rows. Other tables serve.

use std::fs;
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

const TORN: u64 = 200;

/// A lake whose `calls` have several dates, merged files, a checkpoint and entries after it.
async fn build(dir: &TempDir) {
    let lake = open(dir).await;
    let calls = lake.table(TableName::Calls);
    for step in 0..4 {
        append(calls, step * 40..(step + 1) * 40).await;
    }
    let config = MaintenanceConfig { checkpoint_every: 1, ..merging::eager() };
    let done = Maintenance::new(config).run_once(calls).await.expect("a run");
    assert!(done.checkpoint.is_some() && done.files_merged > 0, "{done:?}");
    for step in 4..7 {
        append(calls, step * 40..(step + 1) * 40).await;
    }
}

/// How a file is torn.
fn tear(bytes: &[u8], random: &mut StdRng) -> Vec<u8> {
    let kept = random.random_range(0..bytes.len());
    let mut torn: Vec<u8> = bytes.iter().take(kept).copied().collect();
    match random.random_range(0..3) {
        0 => torn.clear(),
        1 => {}
        // A file system that grew the file, and lost its blocks.
        _ => torn.resize(bytes.len(), 0),
    }
    torn
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(next).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() { waiting.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// Everything that `calls` says: its rows and its offset.
async fn all_of_calls(dir: &TempDir) -> Result<(Vec<String>, Option<i64>), LakeError> {
    let lake = Lake::open(&config(dir), Arc::new(FixedClock(now()))).await?;
    let control = lake.table(TableName::Control).refresh().await?;
    assert!(control.files().await?.is_empty(), "the other tables serve");
    let calls = lake.table(TableName::Calls);
    let snapshot = calls.refresh().await?;
    let mut ids = Vec::new();
    for file in snapshot.files().await?.iter() {
        for batch in calls.read(file, None).await? {
            let column = batch.column_by_name("event_id").expect("a column");
            let column = arrow::array::AsArray::as_string::<i32>(column).clone();
            ids.extend(column.iter().flatten().map(str::to_owned));
        }
    }
    ids.sort();
    Ok((ids, snapshot.next_offset(PARTITION).await?))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_file_is_an_error_that_names_it_or_harmless() {
    let dir = TempDir::new().expect("a directory");
    build(&dir).await;
    let whole = all_of_calls(&dir).await.expect("nothing is torn");
    assert_eq!(whole, (expected_ids(0..280), Some(280)));
    let files = files_below(&dir.path().join("calls"));
    let (mut harmless, mut refused) = (0, 0);
    for seed in 0..TORN {
        let mut random = StdRng::seed_from_u64(seed);
        let file = files.get(random.random_range(0..files.len())).expect("a file");
        let bytes = fs::read(file).expect("bytes");
        fs::write(file, tear(&bytes, &mut random)).expect("torn");
        match all_of_calls(&dir).await {
            Ok(read) => {
                assert_eq!(read, whole, "seed {seed}: {}", file.display());
                harmless += 1;
            }
            Err(error) => {
                let name = file.file_name().expect("a name").to_string_lossy();
                assert!(matches!(error, LakeError::Damaged { .. }), "seed {seed}: {error}");
                assert!(error.to_string().contains(&*name), "seed {seed}, `{name}`: {error}");
                refused += 1;
            }
        }
        fs::write(file, bytes).expect("mended");
    }
    assert!(harmless > 0 && refused > 0, "{harmless} harmless, {refused} refused");
    assert_eq!(all_of_calls(&dir).await.expect("all mended"), whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_table_leaves_the_others_and_serves_once_it_is_mended() {
    let dir = TempDir::new().expect("a directory");
    append(open(&dir).await.table(TableName::Calls), 0..3).await;
    let entry = dir.path().join("anomalies/_delta_log/00000000000000000000.json");
    let whole = fs::read(&entry).expect("an entry");
    fs::write(&entry, "").expect("a torn entry");
    let lake = open(&dir).await;
    let anomalies = lake.table(TableName::Anomalies);
    for error in [anomalies.snapshot().err(), anomalies.refresh().await.err()] {
        let error = error.expect("it must not be used").to_string();
        assert!(error.contains("`anomalies` is damaged"), "{error}");
    }
    append(lake.table(TableName::Calls), 3..6).await;
    assert_eq!(event_ids(lake.table(TableName::Calls)).await, expected_ids(0..6));
    fs::write(&entry, whole).expect("mended");
    assert!(anomalies.refresh().await.expect("mended").files().await.expect("files").is_empty());
    anomalies.snapshot().expect("it is open from now on");
}
