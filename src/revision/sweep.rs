//! What revisions left in `call_revisions` that died before they counted is removed.
//!
//! Only while the fence is ours: a revision that is still under way could not be committed after.

use std::collections::BTreeMap;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use futures::TryStreamExt;

use super::RevisionError;
use super::history::counts;
use super::stored::texts;
use crate::crash;
use crate::lake::{
    Commit, DataFile, FileWriter, Lake, Operation, Purpose, Side, Snapshot, StagedFile, Table,
    TableName,
};

/// The application id of sweeps in `call_revisions`.
const FENCE: &str = "revisions/sweep";

/// Removes the rows of revisions that do not count in a version of `calls`.
///
/// # Errors
/// [`RevisionError`].
pub(super) async fn sweep(lake: &Lake, calls: &Snapshot) -> Result<(), RevisionError> {
    let table = lake.table(TableName::CallRevisions);
    let on = table.refresh().await?;
    let mut known = Known { calls, ids: BTreeMap::new() };
    let (mut add, mut remove) = (Vec::new(), Vec::new());
    for file in on.files().await?.iter() {
        if known.all_count(table, file).await? {
            continue;
        }
        add.extend(known.kept(table, file).await?);
        remove.push(file.path.clone());
    }
    if remove.is_empty() {
        return Ok(());
    }
    let files = remove.len();
    let next = on.next_offset(FENCE).await?.unwrap_or_default() + 1;
    let commit = Commit {
        operation: Operation::Revise,
        add: add.clone(),
        remove,
        transactions: vec![(FENCE.to_owned(), next)],
        marks: Vec::new(),
        amends: false,
    };
    crash::point("sides.sweeping");
    if table.replace(&on, &commit).await? {
        crash::point("sides.swept");
        tracing::info!(files, "removed what revisions left behind that were never committed");
    } else {
        // They were merged meanwhile: the next sweep finds them.
        table.discard(&add).await;
    }
    Ok(())
}

/// Which revisions count, as far as they were looked up.
struct Known<'a> {
    calls: &'a Snapshot,
    ids: BTreeMap<String, bool>,
}

impl Known<'_> {
    async fn all_count(&mut self, table: &Table, file: &DataFile) -> Result<bool, RevisionError> {
        let mut all = true;
        let mut rows = table.open_file(file, Some(&["revision_id", "side"])).await?.rows;
        while let Some(batch) = rows.try_next().await? {
            let sides = texts(&batch, "side")?.iter();
            for (id, side) in texts(&batch, "revision_id")?.iter().zip(sides) {
                let Some(id) = id.filter(|_| side != Some(Side::Correction.name())) else {
                    continue;
                };
                let counted = match self.ids.get(id) {
                    Some(counted) => *counted,
                    None => {
                        let counted = counts(self.calls, id).await?;
                        self.ids.insert(id.to_owned(), counted);
                        counted
                    }
                };
                all &= counted;
            }
        }
        Ok(all)
    }

    /// The same file without the rows that do not count; `None` when none is left.
    async fn kept(
        &self,
        table: &Table,
        file: &DataFile,
    ) -> Result<Option<StagedFile>, RevisionError> {
        let mut writer = None;
        let mut rows = table.open_file(file, None).await?.rows;
        while let Some(batch) = rows.try_next().await? {
            let batch = self.counted(&batch)?;
            if batch.num_rows() == 0 {
                continue;
            }
            let open = match writer.take() {
                Some(open) => open,
                None => FileWriter::start(table, file.days(), Purpose::Unsorted).await?,
            };
            writer = Some(open.push(batch).await?);
        }
        match writer {
            Some(writer) => Ok(Some(writer.finish().await?)),
            None => Ok(None),
        }
    }

    fn counted(&self, rows: &RecordBatch) -> Result<RecordBatch, RevisionError> {
        let ids = texts(rows, "revision_id")?.iter();
        // What is queued stays: it is no id of a revision.
        let counts = |id: &str| self.ids.get(id).copied().unwrap_or(true);
        let counted = ids.map(|id| id.map(counts));
        Ok(filter_record_batch(rows, &counted.collect::<BooleanArray>())?)
    }
}
