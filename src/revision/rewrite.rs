//! Files with changed rows in the place of those without, and both sides of every change.
//!
//! In: files of one date, a change. Out: staged files that no commit names yet. Row order is kept.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use futures::TryStreamExt;

use super::RevisionError;
use super::change::Change;
use super::job::Job;
use crate::crash;
use crate::lake::{
    Batch, DataFile, FileWriter, Lake, OpenFile, Purpose, Revision, Side, StagedFile, Table,
    TableName,
};

/// What is staged of a revision.
#[derive(Debug, Default)]
pub(super) struct Staged {
    /// Files of `calls` to be added.
    pub add: Vec<StagedFile>,
    /// Paths of those to be removed.
    pub remove: Vec<String>,
    /// Files of `call_revisions` to be added.
    pub sides: Vec<StagedFile>,
    /// What the commit says beside: application ids and versions.
    pub transactions: Vec<(String, i64)>,
    /// How many rows change.
    pub rows: u64,
}

/// Files by date.
pub(super) type Dates = BTreeMap<Option<String>, Vec<DataFile>>;

/// Reads all files that a change may touch, and says which of them it changes.
///
/// # Errors
/// [`RevisionError`].
pub(super) async fn survey(
    calls: &Table,
    files: &[DataFile],
    change: &mut impl Change,
) -> Result<Dates, RevisionError> {
    let mut dates = Dates::new();
    for file in files.iter().filter(|file| change.may_touch(file)) {
        dates.entry(file.date.clone()).or_default().push(file.clone());
    }
    for (date, files) in &mut dates {
        change.begin(date.as_deref()).await?;
        for file in std::mem::take(files) {
            let before = change.rows_changed();
            let mut rows = calls.open_file(&file, None).await?.rows;
            while let Some(batch) = rows.try_next().await? {
                working(|| change.of(&batch))?;
            }
            if change.rows_changed() > before {
                files.push(file);
            }
        }
    }
    dates.retain(|_, files| !files.is_empty());
    Ok(dates)
}

/// Rewrites files of one date.
pub(super) struct Rewriter<'a> {
    job: &'a Job<'a>,
    revision: &'a Revision,
    date: Option<i32>,
    sides: Option<FileWriter>,
    moved: Vec<Batch>,
    staged: Staged,
}

impl<'a> Rewriter<'a> {
    /// Nothing staged yet.
    pub fn new(job: &'a Job<'a>, revision: &'a Revision, date: Option<i32>) -> Self {
        let (sides, moved, staged) = (None, Vec::new(), Staged::default());
        Self { job, revision, date, sides, moved, staged }
    }

    /// Writes a file anew, with the rows that change.
    ///
    /// # Errors
    /// [`RevisionError`].
    pub async fn rewrite(
        &mut self,
        file: &DataFile,
        change: &mut impl Change,
    ) -> Result<(), RevisionError> {
        let calls = self.job.lake.table(TableName::Calls);
        let OpenFile { is_sorted, mut rows } = calls.open_file(file, None).await?;
        let sorted = is_sorted && !self.job.moves_rows;
        let purpose = if sorted { Purpose::Keep } else { Purpose::Unsorted };
        let (mut writer, mut read) = (None, 0);
        while let Some(batch) = rows.try_next().await? {
            read += batch.num_rows() as u64;
            let batch = self.revised(batch, change).await?;
            if batch.num_rows() == 0 {
                continue;
            }
            let open = match writer.take() {
                Some(open) => open,
                None => FileWriter::start(calls, self.date, purpose).await?,
            };
            writer = Some(open.push(batch).await?);
        }
        if file.records.is_some_and(|records| records != read) {
            let why = format!("`{}` has {read} rows, the log says {:?}", file.path, file.records);
            return Err(RevisionError::misfit(why));
        }
        if let Some(writer) = writer {
            self.staged.add.push(writer.finish().await?);
        }
        crash::point("revise.file_written");
        self.staged.remove.push(file.path.clone());
        Ok(())
    }

    async fn revised(
        &mut self,
        batch: RecordBatch,
        change: &mut impl Change,
    ) -> Result<RecordBatch, RevisionError> {
        let revised = working(|| match change.of(&batch)? {
            Some(changed) => changed.put_into(&batch, self.date, self.revision).map(Some),
            None => Ok(None),
        })?;
        let Some(revised) = revised else { return Ok(batch) };
        self.staged.rows += revised.before.num_rows() as u64;
        let before = self.revision.rows(Side::Before, &revised.before)?;
        let after = self.revision.rows(Side::After, &revised.after)?;
        let table = self.job.lake.table(TableName::CallRevisions);
        let sides = match self.sides.take() {
            Some(sides) => sides,
            None => FileWriter::start(table, self.date, Purpose::Unsorted).await?,
        };
        self.sides = Some(sides.push(before).await?.push(after).await?);
        self.moved.extend(revised.moved);
        Ok(revised.rows)
    }

    /// What was staged; the sides are durable then.
    ///
    /// # Errors
    /// [`RevisionError`].
    pub async fn finish(mut self) -> Result<Staged, RevisionError> {
        if let Some(sides) = self.sides.take() {
            self.staged.sides.push(sides.finish().await?);
        }
        crash::point("revise.sides_written");
        self.staged.write(self.job.lake, self.revision, &self.moved).await?;
        Ok(self.staged)
    }

    /// Deletes what was staged.
    pub async fn discard(self) {
        self.staged.discard(self.job.lake).await;
    }
}

impl Staged {
    /// Takes in what was staged of another date.
    pub fn extend(&mut self, other: Self) {
        self.add.extend(other.add);
        self.remove.extend(other.remove);
        self.sides.extend(other.sides);
        self.transactions.extend(other.transactions);
        self.rows += other.rows;
    }

    /// Whether there is nothing to commit.
    pub const fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty() && self.transactions.is_empty()
    }

    /// Writes rows of any dates to `calls`, and the side after of each.
    ///
    /// # Errors
    /// [`RevisionError`].
    pub async fn write(
        &mut self,
        lake: &Lake,
        revision: &Revision,
        rows: &[Batch],
    ) -> Result<(), RevisionError> {
        let side = |batch: &Batch| {
            let rows = revision.rows(Side::After, &batch.rows)?;
            Ok(Batch { date: batch.date, rows })
        };
        let sides = rows.iter().map(side).collect::<Result<Vec<_>, RevisionError>>()?;
        self.sides.extend(lake.table(TableName::CallRevisions).write(sides).await?);
        self.add.extend(lake.table(TableName::Calls).write(rows.to_vec()).await?);
        Ok(())
    }

    /// Deletes what no commit will name.
    pub async fn discard(self, lake: &Lake) {
        lake.table(TableName::Calls).discard(&self.add).await;
        lake.table(TableName::CallRevisions).discard(&self.sides).await;
    }
}

/// Work that takes its time, without holding others up.
fn working<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}
