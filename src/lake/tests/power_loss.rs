//! Power losses: a disk that keeps only what was fsynced, cut at moments while several writers
//! commit, merge, checkpoint and clean. What was acknowledged is there, and nothing is half there.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use object_store::ObjectStore;

use super::super::durable::DurableStore;
use super::super::location::Location;
use super::*;

const CUTS: usize = 24;
const WRITERS: i64 = 3;

/// What a name of a directory stands for after a power loss.
#[derive(Debug, Clone, Copy)]
enum Kept {
    Directory,
    /// The file of that number, which was fsynced.
    Whole(u64),
    /// A file whose bytes never were: its name is there, its bytes are not.
    Empty,
}

/// A disk that loses what was not fsynced: it keeps, beside the real files, what would be left.
struct VolatileDisk {
    /// Further names of the files that were fsynced, by number: they outlive their first names.
    files: TempDir,
    synced: Mutex<HashSet<u64>>,
    directories: Mutex<Directories>,
}

type Directories = BTreeMap<PathBuf, BTreeMap<OsString, Kept>>;

impl VolatileDisk {
    /// Everything that is below `root` is durable.
    fn over(root: &Path) -> Self {
        let disk = Self {
            files: TempDir::new_in(root.parent().expect("a parent")).expect("a directory"),
            synced: Mutex::default(),
            directories: Mutex::default(),
        };
        disk.keep_all(root).expect("everything is kept");
        disk
    }

    fn keep_all(&self, path: &Path) -> io::Result<()> {
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            if path.is_dir() {
                self.keep_all(&path)
            } else {
                self.sync(&File::open(&path)?, &path)
            }?;
        }
        self.sync(&File::open(path)?, path)
    }

    /// Does what fsync does to this file or directory.
    fn sync(&self, file: &File, path: &Path) -> io::Result<()> {
        let meta = file.metadata()?;
        if meta.is_dir() {
            let kept = self.names(path)?;
            let mut directories = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
            directories.insert(path.to_owned(), kept);
        } else {
            self.synced.lock().unwrap_or_else(PoisonError::into_inner).insert(meta.ino());
        }
        Ok(())
    }

    fn names(&self, directory: &Path) -> io::Result<BTreeMap<OsString, Kept>> {
        let mut names = BTreeMap::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            // One that was renamed or deleted in between is as good as never there.
            let Ok(meta) = entry.metadata() else { continue };
            let number = meta.ino();
            let is_synced = || {
                let synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
                synced.contains(&number)
            };
            let kept = match meta.is_dir() {
                true => Kept::Directory,
                false if is_synced() && self.hold(&entry.path(), number) => Kept::Whole(number),
                false => Kept::Empty,
            };
            names.insert(entry.file_name(), kept);
        }
        Ok(names)
    }

    /// Whether a file has a name that outlives its own.
    fn hold(&self, path: &Path, number: u64) -> bool {
        let place = self.files.path().join(number.to_string());
        place.exists() || fs::hard_link(path, &place).is_ok() || place.exists()
    }

    /// Writes what a power loss at this moment leaves to another place.
    fn lose_power(&self, root: &Path, to: &Path) {
        let directories = self.directories.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.leave(&directories, root, to);
    }

    fn leave(&self, directories: &Directories, directory: &Path, to: &Path) {
        fs::create_dir_all(to).expect("a directory");
        for (name, kept) in directories.get(directory).into_iter().flatten() {
            let place = to.join(name);
            match kept {
                Kept::Directory => self.leave(directories, &directory.join(name), &place),
                Kept::Empty => fs::write(place, "").expect("an empty file"),
                Kept::Whole(number) => {
                    let held = self.files.path().join(number.to_string());
                    fs::hard_link(held, place).expect("a whole file");
                }
            }
        }
    }
}

/// Commits ten batches as one of several writers; notes what was acknowledged.
async fn write(calls: Table, writer: i64, acknowledged: Arc<Mutex<Vec<i64>>>) {
    for step in 0..10 {
        let first = (step * WRITERS + writer) * 4;
        let staged = calls.write(batches(first..first + 4)).await.expect("files are written");
        let commit = Commit::append(staged, vec![(format!("writer-{writer}"), step + 1)]);
        let mut on = calls.snapshot().expect("open");
        while let Outcome::Conflicted { newest } =
            calls.commit(&on, &commit).await.expect("an answer")
        {
            on = newest;
        }
        acknowledged.lock().expect("no panic").extend(first..first + 4);
    }
}

async fn maintain(calls: Table) {
    let config = MaintenanceConfig {
        small_files_max: 2,
        checkpoint_every: 2,
        clean_every: crate::setting::Span::millis(0),
        ..merging::eager()
    };
    let mut maintenance = Maintenance::new(config);
    loop {
        drop(maintenance.run_once(&calls).await);
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
    }
}

/// The numbers of the events that a lake has.
async fn events(dir: &TempDir) -> Result<Vec<i64>, LakeError> {
    let lake = Lake::open(&config(dir), Arc::new(FixedClock(now()))).await?;
    let calls = lake.table(TableName::Calls);
    let snapshot = calls.refresh().await?;
    let mut numbers = Vec::new();
    for file in snapshot.files().await?.iter() {
        for batch in calls.read(file, Some(&["event_id"])).await? {
            let column = arrow::array::AsArray::as_string::<i32>(batch.column(0)).clone();
            let ids = column.iter().flatten().map(|id| id.replace("event-", ""));
            numbers.extend(ids.map(|id| id.parse::<i64>().expect("a number")));
        }
    }
    numbers.sort_unstable();
    let mut by_offset = Vec::new();
    for writer in 0..WRITERS {
        let steps = snapshot.next_offset(&format!("writer-{writer}")).await?.unwrap_or(0);
        let firsts = (0..steps).map(|step| (step * WRITERS + writer) * 4);
        by_offset.extend(firsts.flat_map(|first| first..first + 4));
    }
    by_offset.sort_unstable();
    assert_eq!(numbers, by_offset, "rows and offsets are of one commit");
    Ok(numbers)
}

/// Cuts the power again and again while writers run; for each cut what had been acknowledged, and
/// what was found afterwards.
async fn cut(durability: Durability) -> Vec<(Vec<i64>, Result<Vec<i64>, LakeError>)> {
    let dir = TempDir::new().expect("a directory");
    open(&dir).await;
    let root = dir.path().canonicalize().expect("a path");
    let disk = Arc::new(VolatileDisk::over(&root));
    let keeping = Arc::clone(&disk);
    let store = DurableStore::fsyncing(durability, move |file, path| keeping.sync(file, path));
    let root_url = url::Url::from_directory_path(&root).expect("a URL");
    let location = Location { root: root_url, store: Arc::new(store) as Arc<dyn ObjectStore> };
    let clock = Arc::new(FixedClock(now()));
    let calls = Table::open(TableName::Calls.spec(), &location, clock).await.expect("it opens");
    let acknowledged: Arc<Mutex<Vec<i64>>> = Arc::default();
    let mut writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(write(calls.clone(), writer, Arc::clone(&acknowledged))))
        .collect();
    let maintaining = tokio::spawn(maintain(calls));
    let mut cuts = Vec::new();
    for number in 0..CUTS {
        tokio::time::sleep(std::time::Duration::from_millis(10 + number as u64)).await;
        let known = acknowledged.lock().expect("no panic").clone();
        let left = TempDir::new_in(root.parent().expect("a parent")).expect("a directory");
        disk.lose_power(&root, left.path());
        cuts.push((known, left));
    }
    for writer in writers.drain(..) {
        writer.await.expect("a writer ends");
    }
    maintaining.abort();
    let mut found = Vec::new();
    for (known, left) in cuts {
        found.push((known, events(&left).await));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_power_loss() {
    let mut had_some = 0;
    for (known, found) in cut(Durability::Fsync).await {
        let found = found.expect("nothing is damaged");
        let missing: Vec<_> = known.iter().filter(|number| !found.contains(number)).collect();
        assert!(missing.is_empty(), "acknowledged and lost: {missing:?}");
        had_some += usize::from(!known.is_empty());
    }
    assert!(had_some > CUTS / 2, "{had_some} cuts came after a commit");
}

/// The same without fsync loses something: else the disk of this test would keep too much.
#[tokio::test(flavor = "multi_thread")]
async fn without_fsync_something_is_lost() {
    let found = cut(Durability::Os).await;
    let lost = found.iter().any(|(known, found)| match found {
        Ok(found) => known.iter().any(|number| !found.contains(number)),
        Err(_) => true,
    });
    assert!(lost, "a disk that keeps nothing has kept everything");
}
