//! The commit protocol: rows and the offsets they came from, together or not at all.
//!
//! In: a decided batch. Out: it is durable, once. Order: dead letters first, then `calls`, whose
//! transaction is the one to read on from. Never: a blind retry. After a conflict or an unknown
//! outcome the table is read again and compared with what this process believes.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use rand::Rng;

use super::batch::{Decided, Pending};
use super::lineage;
use super::seen::Seen;
use crate::event::Identity;
use crate::lake::{Commit, Lake, LakeError, Outcome, Rows, Snapshot, StagedFile, Table, TableName};
use crate::source::Partition;

/// Where a partition is, as this process believes.
pub(super) type Positions = BTreeMap<String, i64>;

/// Commits batches to the lake.
#[derive(Debug)]
pub struct Committer {
    lake: Arc<Lake>,
    /// Every identity in `calls`.
    pub(super) seen: Seen,
    /// The version of `calls` up to which `seen` knows the identities.
    seen_at: Option<Snapshot>,
    /// The next offset of each partition that is ours, as last committed.
    positions: Positions,
}

/// Partitions whose offsets in the table are not those this process left there: somebody else has
/// them now. What was in flight of them is dropped.
pub type Lost = Vec<Arc<Partition>>;

/// What the table says about a commit that may have landed.
enum Standing {
    /// The offsets are where this process left them: it has not landed.
    Before,
    /// All offsets are where the commit puts them: it has landed.
    After,
    /// Some partitions moved otherwise.
    Moved(Lost),
}

impl Committer {
    /// Starts from the tables: reads every identity.
    ///
    /// # Errors
    /// [`LakeError`].
    pub async fn open(lake: Arc<Lake>) -> Result<Self, LakeError> {
        let snapshot = lake.table(TableName::Calls).refresh().await?;
        let mut committer =
            Self { lake, seen: Seen::default(), seen_at: None, positions: Positions::new() };
        committer.learn(&snapshot).await?;
        Ok(committer)
    }

    /// Where to read a partition from: the next offset that `calls` names, or `None` at its very
    /// first start.
    ///
    /// # Errors
    /// [`LakeError`].
    pub async fn assign(&mut self, partition: &Partition) -> Result<Option<i64>, LakeError> {
        let snapshot = self.calls().refresh().await?;
        let stored = snapshot.next_offset(&partition.app_id).await?;
        match stored {
            Some(next) => self.positions.insert(partition.app_id.clone(), next),
            None => self.positions.remove(&partition.app_id),
        };
        Ok(stored)
    }

    /// Writes an offset without rows: a partition's very first start.
    ///
    /// # Errors
    /// [`LakeError`].
    pub async fn start_at(
        &mut self,
        partition: &Arc<Partition>,
        low: i64,
    ) -> Result<(), LakeError> {
        let mut start = Decided { next: vec![(partition.clone(), low)], ..Decided::default() };
        self.commit(&mut start).await.map(|_| ())
    }

    /// The lineage (offset, index) of dead letters at or past `next`: they were committed before a
    /// crash, and stay as they were decided.
    ///
    /// # Errors
    /// [`LakeError`].
    pub async fn already_dead(
        &self,
        partition: &Partition,
        next: i64,
    ) -> Result<HashSet<(i64, u32)>, LakeError> {
        let snapshot = self.dead_letters().refresh().await?;
        let ahead = snapshot.next_offset(&dead_app(&partition.app_id)).await?;
        if ahead.is_none_or(|ahead| ahead <= next) {
            return Ok(HashSet::new());
        }
        lineage::from_offset(self.dead_letters(), &snapshot, partition, next).await
    }

    /// Commits a decided batch, and says which partitions were lost meanwhile. When it returns an
    /// error that is retryable, the same batch can be given again.
    ///
    /// # Errors
    /// [`LakeError`].
    pub async fn commit(&mut self, batch: &mut Decided) -> Result<Lost, LakeError> {
        let mut lost = Lost::new();
        self.commit_dead(batch).await?;
        let mut staged = self.stage(&batch.rows).await?;
        let mut snapshot = self.calls().snapshot();
        while !batch.next.is_empty() {
            let commit = Commit::append(staged.clone(), transactions(batch, str::to_owned));
            match self.calls().commit(&snapshot, &commit).await {
                Ok(Outcome::Committed(version)) => {
                    self.landed(batch, &version);
                    break;
                }
                Ok(Outcome::Conflicted { .. } | Outcome::Superseded { .. }) => {}
                Err(LakeError::OutcomeUnknown { .. }) => {}
                Err(error) => {
                    self.calls().discard(&staged).await;
                    return Err(error);
                }
            }
            snapshot = self.refreshed().await;
            match self.standing(&snapshot, batch).await? {
                Standing::After => {
                    self.landed(batch, &snapshot);
                    break;
                }
                Standing::Before => {}
                Standing::Moved(moved) => {
                    for partition in &moved {
                        batch.drop_partition(partition);
                    }
                    lost.extend(moved);
                    staged = self.staged_again(staged, batch).await?;
                }
            }
            self.learn(&snapshot).await?;
            if batch.trim(&self.seen) {
                self.commit_dead(batch).await?;
                staged = self.staged_again(staged, batch).await?;
            }
            jitter().await;
        }
        Ok(lost)
    }

    fn calls(&self) -> &Table {
        self.lake.table(TableName::Calls)
    }

    fn dead_letters(&self) -> &Table {
        self.lake.table(TableName::DeadLetters)
    }

    /// The newest version of `calls`, however long the log cannot be read: what became of a commit
    /// must be known before anything else.
    async fn refreshed(&self) -> Snapshot {
        loop {
            match self.calls().refresh().await {
                Ok(snapshot) => return snapshot,
                Err(error) => {
                    tracing::warn!(%error, "cannot read the log of `calls`; trying again");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
    }

    fn landed(&mut self, batch: &Decided, version: &Snapshot) {
        for pending in &batch.rows {
            self.seen.insert(pending.row.charge.identity);
        }
        // Only a version right after the last one known holds nobody else's rows.
        if self.seen_at.as_ref().is_some_and(|seen| seen.version() + 1 == version.version()) {
            self.seen_at = Some(version.clone());
        }
        for (partition, next) in &batch.next {
            self.positions.insert(partition.app_id.clone(), *next);
        }
    }

    /// Compares the offsets in the table with those that this process left there.
    async fn standing(&self, on: &Snapshot, batch: &Decided) -> Result<Standing, LakeError> {
        let (mut after, mut moved) = (0_usize, Lost::new());
        for (partition, next) in &batch.next {
            let stored = on.next_offset(&partition.app_id).await?;
            let believed = self.positions.get(&partition.app_id).copied();
            if stored != believed {
                after += usize::from(stored == Some(*next));
                moved.push(partition.clone());
            }
        }
        Ok(if moved.is_empty() {
            Standing::Before
        } else if after == batch.next.len() {
            // One commit moves all of its partitions or none: all stand where this one puts them.
            Standing::After
        } else {
            Standing::Moved(moved)
        })
    }

    /// Reads the identities that were committed up to a version, of all files or, where the log
    /// reaches back so far, of those added since the last version known.
    async fn learn(&mut self, upto: &Snapshot) -> Result<(), LakeError> {
        let calls = self.lake.table(TableName::Calls);
        let added = match &self.seen_at {
            Some(known) => calls.added_since(known.version(), upto).await?,
            None => None,
        };
        let files = match added {
            Some(added) => added,
            None => upto.files().await?.to_vec(),
        };
        let mut read = calls.identities(&files);
        while let Some(identities) = read.try_next().await? {
            for (identity_hash, content_hash) in identities.hashes {
                self.seen.insert(Identity { identity_hash, content_hash });
            }
        }
        self.seen_at = Some(upto.clone());
        Ok(())
    }

    async fn stage(&self, pending: &[Pending]) -> Result<Vec<StagedFile>, LakeError> {
        let mut rows = Rows::default();
        pending.iter().for_each(|pending| rows.push(&pending.row));
        self.calls().write(rows.finish()?).await
    }

    async fn staged_again(
        &self,
        staged: Vec<StagedFile>,
        batch: &Decided,
    ) -> Result<Vec<StagedFile>, LakeError> {
        self.calls().discard(&staged).await;
        self.stage(&batch.rows).await
    }

    /// Appends the dead letters that are not in their table yet, with their own offsets.
    async fn commit_dead(&self, batch: &mut Decided) -> Result<(), LakeError> {
        let fresh = batch.dead.get(batch.dead_committed..).unwrap_or_default();
        if fresh.is_empty() {
            return Ok(());
        }
        let mut rows = Rows::default();
        fresh.iter().for_each(|dead| rows.push(dead));
        let staged = self.dead_letters().write(rows.finish()?).await?;
        let mut commit = Commit::append(staged, transactions(batch, dead_app));
        // After a crash, or when rows lose their identity to others, the range is stored already;
        // what is in the table was left out when it was read back.
        commit.amends = true;
        let mut snapshot = self.dead_letters().snapshot();
        loop {
            match self.dead_letters().commit(&snapshot, &commit).await {
                Ok(Outcome::Committed(_)) => break,
                Ok(Outcome::Conflicted { .. }) => snapshot = self.dead_letters().refresh().await?,
                Ok(Outcome::Superseded { .. }) | Err(LakeError::OutcomeUnknown { .. }) => {
                    // The range is there already: by a lost answer, or by who has it now. Rows of
                    // `calls` are compared again before they are committed.
                    if self.dead_letters().landed(&commit).await? {
                        break;
                    }
                    snapshot = self.dead_letters().snapshot();
                }
                Err(error) => {
                    self.dead_letters().discard(&commit.add).await;
                    return Err(error);
                }
            }
            jitter().await;
        }
        batch.dead_committed = batch.dead.len();
        Ok(())
    }
}

fn dead_app(app_id: &str) -> String {
    format!("{app_id}/dead")
}

fn transactions(batch: &Decided, name: fn(&str) -> String) -> Vec<(String, i64)> {
    batch.next.iter().map(|(partition, next)| (name(&partition.app_id), *next)).collect()
}

async fn jitter() {
    let millis = rand::rng().random_range(1..20);
    tokio::time::sleep(Duration::from_millis(millis)).await;
}
