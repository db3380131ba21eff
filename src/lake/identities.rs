//! The identities that are in the table: what duplicate detection is rebuilt from.

use arrow::array::{AsArray, RecordBatch};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::error::LakeError;
use super::files::DataFile;
use super::log::LOG;
use super::snapshot::Snapshot;
use super::table::{Table, path_of};
use super::tables::DATE;

/// How many files are read at a time.
const READ_AT_ONCE: usize = 8;

/// The identities of one data file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identities {
    /// The file's partition, `2026-11-23`.
    pub date: Option<String>,
    /// Identity hash and content hash of each row.
    pub hashes: Vec<([u8; 16], [u8; 16])>,
}

impl Table {
    /// Reads the identity and content hashes of data files; of nothing else, and of a few files at a
    /// time. Files come in any order.
    pub fn identities<'a>(
        &'a self,
        files: &'a [DataFile],
    ) -> BoxStream<'a, Result<Identities, LakeError>> {
        let reads = files.iter().map(move |file| async move {
            let batches = self.read(file, Some(&["identity_hash", "content_hash"])).await?;
            let hashes = batches.iter().filter_map(hashes).flatten().collect();
            Ok(Identities { date: file.date.clone(), hashes })
        });
        futures::stream::iter(reads).buffer_unordered(READ_AT_ONCE).boxed()
    }

    /// The data files whose rows were added after version `since`, up to `to`; those that merges
    /// wrote hold no new rows and are left out. `None` when the log does not reach back so far: read
    /// all files then.
    ///
    /// # Errors
    /// [`LakeError::Retryable`] when the log cannot be read.
    pub async fn added_since(
        &self,
        since: u64,
        to: &Snapshot,
    ) -> Result<Option<Vec<DataFile>>, LakeError> {
        let log = path_of(self.root())?.join(LOG);
        let store = self.object_store();
        let reads = (since + 1..=to.version()).map(|version| {
            let entry = log.clone().join(format!("{version:020}.json"));
            added_by(store.as_ref(), entry)
        });
        let reads = futures::stream::iter(reads).buffered(READ_AT_ONCE);
        let added: Result<Vec<Vec<DataFile>>, object_store::Error> = reads.try_collect().await;
        match added {
            Ok(added) => Ok(Some(added.into_iter().flatten().collect())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => {
                let what = format!("reading the log of `{}`", self.name().name());
                Err(LakeError::from_store(what, error))
            }
        }
    }
}

fn hashes(batch: &RecordBatch) -> Option<Vec<([u8; 16], [u8; 16])>> {
    let identity = batch.column_by_name("identity_hash")?.as_binary_opt::<i32>()?;
    let content = batch.column_by_name("content_hash")?.as_binary_opt::<i32>()?;
    let both = identity.iter().zip(content);
    Some(both.filter_map(|(a, b)| Some((a?.try_into().ok()?, b?.try_into().ok()?))).collect())
}

async fn added_by(
    store: &dyn ObjectStore,
    entry: Path,
) -> Result<Vec<DataFile>, object_store::Error> {
    let bytes = store.get(&entry).await?.bytes().await?;
    let lines = bytes.split(|byte| *byte == b'\n');
    let actions = lines.filter_map(|line| serde_json::from_slice::<Action>(line).ok());
    Ok(actions
        .filter_map(|action| action.add)
        .filter(|add| add.data_change)
        .map(Add::file)
        .collect())
}

#[derive(serde::Deserialize)]
struct Action {
    add: Option<Add>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Add {
    path: String,
    size: u64,
    modification_time: i64,
    data_change: bool,
    partition_values: std::collections::BTreeMap<String, Option<String>>,
    stats: Option<String>,
}

impl Add {
    fn file(mut self) -> DataFile {
        DataFile {
            path: self.path,
            size: self.size,
            modified_at: self.modification_time,
            date: self.partition_values.remove(DATE).flatten(),
            records: self.stats.as_deref().and_then(super::files::records),
            statistics: self.stats,
        }
    }
}
