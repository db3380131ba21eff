//! Which files are merged with which: files of one date and of like size.
//!
//! A merge of like sizes rewrites a row only a few times until its file is large; merging whatever
//! is small into one growing file would rewrite the whole day with every merge.

use std::collections::BTreeMap;

use crate::lake::config::MaintenanceConfig;
use crate::lake::files::DataFile;
use crate::lake::parquet_file::Purpose;
use crate::setting::ByteSize;

/// Most files that are fresh from ingest are no larger.
const FRESH_BYTES_MAX: u64 = 1 << 20;
/// The class of the largest that may be fresh: a full batch is some megabytes.
const FRESH_CLASS_MAX: u32 = 1;
/// How many files of like size above that make a merge.
const LIKE_FILES: usize = 8;

/// Files that become one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// Their date.
    pub(super) date: Option<String>,
    /// The files.
    pub(super) files: Vec<DataFile>,
    /// What they become.
    pub(super) purpose: Purpose,
}

/// The merges that are due; `due` says whether a date's time has come.
pub(super) fn groups(
    files: &[DataFile],
    config: &MaintenanceConfig,
    due: impl Fn(Option<&str>) -> bool,
) -> Vec<Group> {
    let small = files.iter().filter(|file| file.size < config.small_file.0 as u64);
    let mut classes: BTreeMap<(Option<&str>, u32), Vec<&DataFile>> = BTreeMap::new();
    for file in small {
        classes.entry((file.date.as_deref(), size_class(file.size))).or_default().push(file);
    }
    let ripe = classes.into_iter().filter(|((date, class), files)| {
        let enough = if *class == 0 { config.small_files_max } else { LIKE_FILES };
        files.len() >= enough || (*class == 0 && files.len() > 1 && due(*date))
    });
    let groups = ripe.flat_map(|((date, class), files)| {
        // Fresh files are many, and some are not sorted: those are sorted in memory.
        let fresh = class <= FRESH_CLASS_MAX;
        let bytes_max = if fresh { config.sort_bytes_max } else { config.merge_bytes_max };
        split(date, files, bytes_max, |group| {
            let bytes: u64 = group.iter().map(|file| file.size).sum();
            if bytes < config.small_file.0 as u64 { Purpose::Interim } else { Purpose::Keep }
        })
    });
    groups.collect()
}

/// The merges that leave a day in few files: fresh ones first, then all that are small.
pub(super) fn whole_day(files: &[DataFile], config: &MaintenanceConfig) -> Vec<Group> {
    let small = files.iter().filter(|file| file.size < config.small_file.0 as u64);
    let small: Vec<&DataFile> = small.collect();
    let date = files.first().and_then(|file| file.date.as_deref());
    let is_fresh = |file: &&DataFile| size_class(file.size) <= FRESH_CLASS_MAX;
    let fresh = small.iter().copied().filter(is_fresh).collect();
    let groups = split(date, fresh, config.sort_bytes_max, |group| {
        if group.len() < small.len() { Purpose::Interim } else { Purpose::Keep }
    });
    if !groups.is_empty() {
        return groups;
    }
    split(date, small, config.merge_bytes_max, |_| Purpose::Keep)
}

/// 0 for fresh files, then one class for each eightfold size.
fn size_class(bytes: u64) -> u32 {
    (bytes / FRESH_BYTES_MAX).checked_ilog2().map_or(0, |doublings| doublings / 3 + 1)
}

/// Oldest first, at most `bytes_max` in one merge; a group of one is none.
fn split(
    date: Option<&str>,
    mut files: Vec<&DataFile>,
    bytes_max: ByteSize,
    purpose: impl Fn(&[DataFile]) -> Purpose,
) -> Vec<Group> {
    files.sort_by(|a, b| (a.modified_at, &a.path).cmp(&(b.modified_at, &b.path)));
    let mut groups: Vec<Vec<DataFile>> = vec![Vec::new()];
    let mut bytes = 0;
    for file in files {
        if bytes + file.size > bytes_max.0 as u64 {
            groups.push(Vec::new());
            bytes = 0;
        }
        bytes += file.size;
        if let Some(group) = groups.last_mut() {
            group.push(file.clone());
        }
    }
    let date = date.map(str::to_owned);
    let several = groups.into_iter().filter(|files| files.len() > 1);
    let group =
        |files: Vec<DataFile>| Group { date: date.clone(), purpose: purpose(&files), files };
    several.map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(number: usize, size: u64) -> DataFile {
        DataFile {
            path: number.to_string(),
            size,
            modified_at: i64::try_from(number).expect("a number"),
            date: None,
            records: None,
            statistics: None,
        }
    }

    /// As long as files come and all merges that are due are made, few are small.
    #[test]
    fn files_become_few_whatever_their_size() {
        let config = MaintenanceConfig::default();
        for size in [20_000, 300_000, 1_100_000, 2_000_000, 5_000_000, 8_300_000, 30_000_000] {
            let (mut files, mut number) = (Vec::new(), 0);
            for _ in 0..2_000 {
                number += 1;
                files.push(file(number, size));
                for group in groups(&files, &config, |_| false) {
                    number += 1;
                    files.retain(|file| !group.files.contains(file));
                    files.push(file(number, group.files.iter().map(|file| file.size).sum()));
                }
            }
            let small = files.iter().filter(|file| file.size < config.small_file.0 as u64);
            let most = config.small_files_max + 3 * LIKE_FILES;
            assert!(small.clone().count() < most, "{size}: {}", small.count());
            let largest = files.iter().map(|file| file.size).max();
            assert!(largest <= Some(config.merge_bytes_max.0 as u64), "{size}: {largest:?}");
        }
    }
}
