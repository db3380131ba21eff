//! The commit protocol: rows and the offsets they came from, together or not at all.
//!
//! In: a decided batch. Out: it is durable, once. Order: dead letters first, then `calls`, whose
//! transaction is the one to read on from. Never: a blind retry. After a conflict or an unknown
//! outcome the table is read again and compared with what this process believes.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;

use super::batch::{Decided, Pending};
use super::seen::Seen;
use crate::event::Identity;
use crate::lake::{Commit, Lake, LakeError, Outcome, Rows, Staged};
use crate::source::Partition;
use crate::time::Clock;

/// Where a partition is, as this process believes.
pub(super) type Positions = BTreeMap<String, i64>;

/// Commits batches to the lake.
#[derive(Debug)]
pub struct Committer {
    lake: Arc<Lake>,
    clock: Arc<dyn Clock>,
    /// Every identity in `calls`.
    pub(super) seen: Seen,
    /// The version of `calls` up to which `seen` knows the identities.
    seen_version: u64,
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
    pub async fn open(lake: Arc<Lake>, clock: Arc<dyn Clock>) -> Result<Self, LakeError> {
        let mut seen = Seen::default();
        let snapshot = lake.calls().refresh().await?;
        for (identity_hash, content_hash) in lake.calls().identities(&snapshot, None).await? {
            seen.insert(Identity { identity_hash, content_hash });
        }
        let seen_version = snapshot.version();
        Ok(Self { lake, clock, seen, seen_version, positions: Positions::new() })
    }

    /// Where to read a partition from: the next offset that `calls` names, or `None` at its very
    /// first start.
    ///
    /// # Errors
    /// [`LakeError`].
    pub async fn assign(&mut self, partition: &Partition) -> Result<Option<i64>, LakeError> {
        let calls = self.lake.calls();
        calls.refresh().await?;
        let stored = calls.next_offset(&partition.app_id).await?;
        if let Some(next) = stored {
            self.positions.insert(partition.app_id.clone(), next);
        }
        Ok(stored)
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
        let table = self.lake.dead_letters();
        table.refresh().await?;
        let ahead = table.next_offset(&dead_app(&partition.app_id)).await?;
        if ahead.is_none_or(|ahead| ahead <= next) {
            return Ok(HashSet::new());
        }
        table.lineage_from(&partition.topic, partition.number, next).await
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
        loop {
            if batch.next.is_empty() {
                return Ok(lost);
            }
            let commit = Commit::append(staged.clone(), transactions(batch, str::to_owned));
            let outcome = self.lake.calls().commit(commit).await;
            let version = match outcome {
                Ok(Outcome::Committed(version)) => {
                    self.landed(batch, version);
                    return Ok(lost);
                }
                Ok(Outcome::Conflicted(_)) | Err(LakeError::OutcomeUnknown { .. }) => {
                    self.lake.calls().refresh().await?.version()
                }
                Err(error) => return Err(error),
            };
            match self.standing(batch).await? {
                Standing::After => {
                    self.landed(batch, version);
                    return Ok(lost);
                }
                Standing::Moved(moved) => {
                    for partition in &moved {
                        batch.drop_partition(partition);
                        self.positions.remove(&partition.app_id);
                    }
                    lost.extend(moved);
                    staged = self.stage(&batch.rows).await?;
                }
                Standing::Before => {}
            }
            self.learn(version).await?;
            if batch.trim(&self.seen) {
                self.commit_dead(batch).await?;
                staged = self.stage(&batch.rows).await?;
            }
            jitter().await;
        }
    }

    /// Writes an offset without rows: a partition's very first start.
    ///
    /// # Errors
    /// [`LakeError`].
    pub async fn start_at(&mut self, partition: &Arc<Partition>, low: i64) -> Result<(), LakeError> {
        let mut start = Decided { next: vec![(partition.clone(), low)], ..Decided::default() };
        self.commit(&mut start).await.map(|_| ())
    }

    fn landed(&mut self, batch: &Decided, version: u64) {
        for row in &batch.rows {
            self.seen.insert(row.charge.identity);
        }
        if version == self.seen_version + 1 {
            self.seen_version = version;
        }
        for (partition, next) in &batch.next {
            self.positions.insert(partition.app_id.clone(), *next);
        }
    }

    async fn standing(&self, batch: &Decided) -> Result<Standing, LakeError> {
        let calls = self.lake.calls();
        let (mut before, mut after, mut moved) = (0_usize, 0_usize, Lost::new());
        for (partition, next) in &batch.next {
            let stored = calls.next_offset(&partition.app_id).await?;
            let believed = self.positions.get(&partition.app_id).copied();
            if stored == Some(*next) && believed != stored {
                after += 1;
            } else if stored == believed {
                before += 1;
            } else {
                moved.push(partition.clone());
            }
        }
        Ok(if after == batch.next.len() {
            Standing::After
        } else if before == batch.next.len() {
            Standing::Before
        } else {
            // Part of the partitions stands where this commit would put them, but one commit moves
            // all or none: another process read the same messages.
            let elsewhere = batch.next.iter().map(|(partition, _)| partition.clone());
            Standing::Moved(if after > 0 { elsewhere.collect() } else { moved })
        })
    }

    /// Reads the identities that others committed up to `version`.
    async fn learn(&mut self, version: u64) -> Result<(), LakeError> {
        let calls = self.lake.calls();
        let snapshot = calls.snapshot();
        for (identity_hash, content_hash) in
            calls.identities(&snapshot, Some(self.seen_version)).await?
        {
            self.seen.insert(Identity { identity_hash, content_hash });
        }
        self.seen_version = version;
        Ok(())
    }

    async fn stage(&self, pending: &[Pending]) -> Result<Staged, LakeError> {
        let mut rows = Rows::default();
        pending.iter().for_each(|pending| rows.push(&pending.row));
        self.lake.calls().write(rows.finish()?).await
    }

    /// Appends the dead letters and moves their own offsets; the letters stay in the batch, for
    /// counting.
    async fn commit_dead(&self, batch: &Decided) -> Result<(), LakeError> {
        let Some(fresh) = batch.dead.get(batch.dead_committed..).filter(|dead| !dead.is_empty())
        else {
            return Ok(());
        };
        let table = self.lake.dead_letters();
        let mut rows = Rows::default();
        fresh.iter().for_each(|dead| rows.push(dead));
        let staged = table.write(rows.finish()?).await?;
        loop {
            let commit = Commit::append(staged.clone(), transactions(batch, dead_app));
            match table.commit(commit).await {
                Ok(Outcome::Committed(_)) => return Ok(()),
                Ok(Outcome::Conflicted(_)) => {
                    table.refresh().await?;
                    jitter().await;
                }
                Err(error) => return Err(error),
            }
        }
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
