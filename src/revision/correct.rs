//! Corrections that came as events: queued with their lineage by the pipeline, applied here.
//!
//! A queued correction is due once the range that it was read from is committed to `calls`: then
//! the row that it corrects is there. One commit applies all that are due, and says per source
//! partition how far; of two for one identity the later one counts.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::{filter_record_batch, interleave_record_batch};
use futures::TryStreamExt;

use super::RevisionError;
use super::change::{Change, Changed};
use super::stored::{identities, instants, named, nullable, texts};
use crate::crash;
use crate::lake::{Batch, Correction, DataFile, Lake, Side, Snapshot, TableName};
use crate::time::Timestamp;

/// The application id in `calls` that says up to which offset corrections are applied.
fn corrected(app_id: &str) -> String {
    format!("{app_id}/corrected")
}

/// Applies what is queued.
#[derive(Clone)]
pub(super) struct Corrections<'a> {
    lake: &'a Lake,
    due: Arc<Due>,
    rows_changed: u64,
}

/// What is due.
#[derive(Default)]
struct Due {
    /// Rows as they should be, with the columns of `calls`.
    rows: Vec<RecordBatch>,
    /// Of each identity the place of its row in there.
    places: HashMap<[u8; 16], (usize, usize)>,
    /// Files with rows that change.
    files: HashSet<String>,
    /// Rows of identities that `calls` does not have.
    additions: Vec<Batch>,
    transactions: Vec<(String, i64)>,
    waiting: u64,
}

impl<'a> Corrections<'a> {
    /// Nothing read yet.
    pub fn new(lake: &'a Lake) -> Self {
        Self { lake, due: Arc::default(), rows_changed: 0 }
    }

    /// How many identities have corrections that are due.
    pub fn due(&self) -> usize {
        self.due.places.len()
    }

    /// How many corrections are of ranges that are not committed yet.
    pub fn waiting(&self) -> u64 {
        self.due.waiting
    }
}

impl Change for Corrections<'_> {
    async fn prepare(&mut self, on: &Snapshot) -> Result<(), RevisionError> {
        let mut queue = Queue { on, ranges: BTreeMap::new(), order: HashMap::new() };
        let mut due = Due::default();
        let table = self.lake.table(TableName::CallRevisions);
        let files = table.refresh().await?.files().await?;
        for file in files.iter().filter(|file| Correction::may_be_in(file)) {
            let mut rows = table.open_file(file, None).await?.rows;
            while let Some(batch) = rows.try_next().await? {
                queue.take(&batch, &mut due).await?;
            }
        }
        crash::point("correct.read");
        due.transactions = queue.transactions();
        if !due.places.is_empty() {
            locate(self.lake, on, &mut due).await?;
        }
        self.due = Arc::new(due);
        Ok(())
    }

    fn may_touch(&self, file: &DataFile) -> bool {
        self.due.files.contains(&file.path)
    }

    fn of(&mut self, rows: &RecordBatch) -> Result<Option<Changed>, RevisionError> {
        let hashes = identities(rows)?;
        let places = hashes.iter().map(|hash| self.due.places.get(hash));
        let mask: Vec<bool> = places.clone().map(|place| place.is_some()).collect();
        let picks: Vec<(usize, usize)> = places
            .enumerate()
            .map(|(row, place)| place.map_or((0, row), |(batch, row)| (batch + 1, *row)))
            .collect();
        self.rows_changed += mask.iter().filter(|changes| **changes).count() as u64;
        if !mask.contains(&true) {
            return Ok(None);
        }
        let current = nullable(rows)?;
        let from: Vec<&RecordBatch> = std::iter::once(&current).chain(&self.due.rows).collect();
        Ok(Changed::new(interleave_record_batch(&from, &picks)?, mask.into()))
    }

    fn rows_changed(&self) -> u64 {
        self.rows_changed
    }

    fn additions(&self) -> &[Batch] {
        &self.due.additions
    }

    fn transactions(&self) -> &[(String, i64)] {
        &self.due.transactions
    }
}

/// Source partition, offset, index.
type Place = (String, i64, u32);

/// The queue as it is read.
struct Queue<'a> {
    on: &'a Snapshot,
    /// By source partition: up to where corrections are applied, and up to where they are due.
    ranges: BTreeMap<String, (i64, i64)>,
    /// When each identity's correction was read, and its id: the later one counts.
    order: HashMap<[u8; 16], (Timestamp, Place)>,
}

impl Queue<'_> {
    async fn take(&mut self, rows: &RecordBatch, due: &mut Due) -> Result<(), RevisionError> {
        let (ids, sides) = (texts(rows, "revision_id")?, texts(rows, "side")?);
        let mut wanted = Vec::with_capacity(rows.num_rows());
        for (id, side) in ids.iter().zip(sides) {
            let is_queued = side == Some(Side::Correction.name());
            let place = id.filter(|_| is_queued).and_then(Correction::place_of);
            let Some((app_id, offset, _)) = place else {
                wanted.push(false);
                continue;
            };
            let (applied, committed) = self.range(app_id).await?;
            wanted.push((applied..committed).contains(&offset));
            due.waiting += u64::from(offset >= committed);
        }
        if !wanted.contains(&true) {
            return Ok(());
        }
        let rows = filter_record_batch(rows, &BooleanArray::from(wanted))?;
        let ids = texts(&rows, "revision_id")?;
        let places = ids.iter().flatten().filter_map(Correction::place_of);
        let places = places.map(|(app_id, offset, index)| (app_id.to_owned(), offset, index));
        let ordered = instants(&rows, "changed_at")?.zip(places);
        for (row, (hash, order)) in identities(&rows)?.into_iter().zip(ordered).enumerate() {
            if self.order.get(&hash).is_none_or(|earlier| *earlier < order) {
                self.order.insert(hash, order);
                due.places.insert(hash, (due.rows.len(), row));
            }
        }
        let calls = TableName::Calls.spec();
        let columns = calls.columns.iter().map(|column| column.name);
        let columns = columns.map(|name| Ok((name, named(&rows, name)?.clone(), true)));
        let columns = columns.collect::<Result<Vec<_>, RevisionError>>()?;
        due.rows.push(RecordBatch::try_from_iter_with_nullable(columns)?);
        Ok(())
    }

    async fn range(&mut self, app_id: &str) -> Result<(i64, i64), RevisionError> {
        if let Some(range) = self.ranges.get(app_id) {
            return Ok(*range);
        }
        let applied = self.on.next_offset(&corrected(app_id)).await?.unwrap_or_default();
        let committed = self.on.next_offset(app_id).await?.unwrap_or_default();
        self.ranges.insert(app_id.to_owned(), (applied, committed));
        Ok((applied, committed))
    }

    fn transactions(&self) -> Vec<(String, i64)> {
        let moved = self.ranges.iter().filter(|(_, (applied, committed))| committed > applied);
        moved.map(|(app_id, (_, committed))| (corrected(app_id), *committed)).collect()
    }
}

/// Finds the files of the rows that change, and makes additions of the rest.
async fn locate(lake: &Lake, on: &Snapshot, due: &mut Due) -> Result<(), RevisionError> {
    let calls = lake.table(TableName::Calls);
    let mut missing: HashSet<[u8; 16]> = due.places.keys().copied().collect();
    for file in on.files().await?.iter() {
        if missing.is_empty() {
            break;
        }
        let mut rows = calls.open_file(file, Some(&["identity_hash"])).await?.rows;
        while let Some(batch) = rows.try_next().await? {
            for hash in identities(&batch)? {
                if missing.remove(&hash) {
                    due.files.insert(file.path.clone());
                }
            }
        }
    }
    let schema = TableName::Calls.spec().file_schema();
    for hash in missing {
        let Some((batch, row)) = due.places.remove(&hash) else { continue };
        let Some(rows) = due.rows.get(batch) else { continue };
        let row = rows.slice(row, 1);
        let date = instants(&row, "occurred_at")?.next().map(Timestamp::days);
        let rows = RecordBatch::try_new(schema.clone(), row.columns().to_vec())?;
        due.additions.push(Batch { date, rows });
    }
    Ok(())
}
