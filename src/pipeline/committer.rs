//! The commit protocol: rows and the offsets they came from, together or not at all.
//!
//! In: a decided batch. Out: it is durable, once. Order: dead letters first, corrections into their
//! queue, then `calls`, whose transaction is the one to read on from. Each partition has one owner,
//! named in all three tables:
//! whoever takes it over names himself first, so that nothing of an earlier owner, however late,
//! can land after what the new one has read. Never: a commit on a version whose offsets, owners and
//! identities were not compared with the batch.

mod aside;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;

use self::aside::Aside;
use super::batch::{Batch as Waiting, Decided, Pending};
use super::identities::CountedIdentities;
use super::lineage;
use crate::crash;
use crate::lake::{Commit, Lake, LakeError, Outcome, Rows, Snapshot, StagedFile, Table, TableName};
use crate::source::Partition;

/// What this process believes of a partition of its own.
#[derive(Debug, Clone, Copy)]
struct Holding {
    /// The mark by which both tables name this process its owner.
    owner: i64,
    /// The next offset, as last committed.
    next: i64,
}

/// Commits batches to the lake.
#[derive(Debug)]
pub struct Committer {
    lake: Arc<Lake>,
    /// Every identity in `calls`.
    pub(super) counted: CountedIdentities,
    /// By application id.
    holdings: BTreeMap<String, Holding>,
}

/// A partition that is ours now.
#[derive(Debug)]
pub struct Owned {
    /// The offset to read from.
    pub next: i64,
    /// The lineage (offset, index) of dead letters and corrections at or past it: they were
    /// committed before a crash, and stay as they were decided.
    pub decided: HashSet<(i64, u32)>,
}

impl Committer {
    /// Starts from the tables: reads every identity. They take so many bytes of memory, and a
    /// folder's disk.
    ///
    /// # Errors
    /// [`LakeError`].
    pub async fn open(
        lake: Arc<Lake>,
        identity_bytes_max: usize,
        folder: &Path,
    ) -> Result<Self, LakeError> {
        let mut counted = CountedIdentities::bounded(identity_bytes_max, folder);
        let calls = lake.table(TableName::Calls);
        for aside in [Aside::DeadLetters, Aside::Corrections] {
            lake.table(aside.table()).snapshot()?;
        }
        counted.learn(calls, &calls.refresh().await?).await?;
        Ok(Self { lake, counted, holdings: BTreeMap::new() })
    }

    /// Makes a partition our own: from here on no commit of an earlier owner lands. At its very
    /// first start it is read from `low`.
    ///
    /// # Errors
    /// [`LakeError`].
    pub async fn own(&mut self, partition: &Partition, low: i64) -> Result<Owned, LakeError> {
        let owner = rand::rng().random_range(1..i64::MAX);
        let app_id = &partition.app_id;
        let dead = take_over(self.table(Aside::DeadLetters), partition, owner, None).await?;
        crash::point("own.dead_letters");
        let queue = take_over(self.table(Aside::Corrections), partition, owner, None).await?;
        crash::point("own.corrections");
        let calls = take_over(self.calls(), partition, owner, Some(low)).await?;
        crash::point("own.calls");
        let next = calls.next_offset(app_id).await?.unwrap_or(low);
        self.holdings.insert(app_id.clone(), Holding { owner, next });
        let mut decided = HashSet::new();
        for (aside, on) in [(Aside::DeadLetters, dead), (Aside::Corrections, queue)] {
            let ahead = on.next_offset(&aside.app_id(app_id)).await?;
            if ahead.is_some_and(|ahead| ahead > next) {
                decided
                    .extend(lineage::from_offset(self.table(aside), &on, partition, next).await?);
            }
        }
        Ok(Owned { next, decided })
    }

    /// Decides what each event of a batch becomes, by the identities known so far.
    ///
    /// # Errors
    /// [`LakeError::Internal`] when identities cannot be read from the disk.
    pub async fn decide(&mut self, batch: Waiting) -> Result<Decided, LakeError> {
        self.counted.make_room().await?;
        self.counted.look_up(batch.identities()).await?;
        Ok(batch.decide(&self.counted.seen))
    }

    /// Commits a decided batch, and says how often another writer had taken the version before;
    /// [`Decided::lost`] says which partitions were lost meanwhile. When it returns an error that
    /// is retryable, the same batch can be given again.
    ///
    /// # Errors
    /// [`LakeError`].
    pub async fn commit(&mut self, batch: &mut Decided) -> Result<usize, LakeError> {
        let mut conflicts = 0;
        self.commit_aside(batch).await?;
        crash::point("calls.after_asides");
        let mut staged: Option<Vec<StagedFile>> = None;
        let mut on = self.calls().snapshot()?;
        while !batch.next.is_empty() {
            let moved = self.moved(&on, batch).await?;
            moved.iter().for_each(|partition| batch.lose(partition));
            let calls = self.lake.table(TableName::Calls);
            self.counted.learn(calls, &on).await?;
            self.counted.look_up(batch.identities()).await?;
            crash::point("calls.learned");
            if batch.trim(&self.counted.seen) || !moved.is_empty() {
                self.discard(staged.take()).await;
                self.commit_aside(batch).await?;
                continue;
            }
            let files = match staged.take() {
                Some(files) => files,
                None => self.stage(&batch.rows).await?,
            };
            crash::point("calls.staged");
            let commit = Commit::append(files.clone(), transactions(batch, str::to_owned));
            match self.calls().commit(&on, &commit).await {
                Ok(Outcome::Committed(version)) => {
                    crash::point("calls.committed");
                    self.landed(batch, &version);
                    return Ok(conflicts);
                }
                Ok(Outcome::Conflicted { .. }) => conflicts += 1,
                Ok(Outcome::Superseded { .. }) => {}
                Err(error) => {
                    self.calls().discard(&files).await;
                    return Err(error);
                }
            }
            staged = Some(files);
            jitter().await;
            // After the wait, not before it: others have committed meanwhile.
            on = self.calls().refresh().await?;
        }
        self.discard(staged).await;
        Ok(conflicts)
    }

    fn calls(&self) -> &Table {
        self.lake.table(TableName::Calls)
    }

    fn table(&self, aside: Aside) -> &Table {
        self.lake.table(aside.table())
    }

    fn landed(&mut self, batch: &Decided, version: &Snapshot) {
        self.counted.landed(batch, version);
        for (partition, next) in &batch.next {
            if let Some(holding) = self.holdings.get_mut(&partition.app_id) {
                holding.next = *next;
            }
        }
    }

    /// The partitions of a batch whose owner or offset in a version of `calls` is not what this
    /// process left there.
    async fn moved(
        &self,
        on: &Snapshot,
        batch: &Decided,
    ) -> Result<Vec<Arc<Partition>>, LakeError> {
        let mut moved = self.taken_over(on, batch).await?;
        for (partition, _) in &batch.next {
            let stored = on.next_offset(&partition.app_id).await?;
            let believed = self.holdings.get(&partition.app_id).map(|holding| holding.next);
            if stored != believed && !moved.contains(partition) {
                moved.push(partition.clone());
            }
        }
        Ok(moved)
    }

    /// The partitions of a batch that have another owner in a version of a table.
    async fn taken_over(
        &self,
        on: &Snapshot,
        batch: &Decided,
    ) -> Result<Vec<Arc<Partition>>, LakeError> {
        let mut taken = Vec::new();
        for (partition, _) in &batch.next {
            let named = on.next_offset(&owner_app(&partition.app_id)).await?;
            let ours = self.holdings.get(&partition.app_id).map(|holding| holding.owner);
            if named != ours {
                taken.push(partition.clone());
            }
        }
        Ok(taken)
    }

    async fn stage(&self, pending: &[Box<Pending>]) -> Result<Vec<StagedFile>, LakeError> {
        let mut rows = Rows::default();
        pending.iter().for_each(|pending| rows.push(&pending.row));
        self.calls().write(rows.finish()?).await
    }

    async fn discard(&self, staged: Option<Vec<StagedFile>>) {
        self.calls().discard(&staged.unwrap_or_default()).await;
    }
}

/// Names the owner of a partition in a table, and where its very first start begins.
async fn take_over(
    table: &Table,
    partition: &Partition,
    owner: i64,
    low: Option<i64>,
) -> Result<Snapshot, LakeError> {
    let mut on = table.refresh().await?;
    loop {
        let mut commit = Commit::append(Vec::new(), Vec::new());
        commit.marks.push((owner_app(&partition.app_id), owner));
        if let Some(low) = low
            && on.next_offset(&partition.app_id).await?.is_none()
        {
            commit.transactions.push((partition.app_id.clone(), low));
        }
        match table.commit(&on, &commit).await? {
            Outcome::Committed(version) => return Ok(version),
            Outcome::Conflicted { .. } | Outcome::Superseded { .. } => {}
        }
        jitter().await;
        // After the wait, not before it: others have committed meanwhile.
        on = table.refresh().await?;
    }
}

fn owner_app(app_id: &str) -> String {
    format!("{app_id}/owner")
}

fn transactions(batch: &Decided, name: impl Fn(&str) -> String) -> Vec<(String, i64)> {
    batch.next.iter().map(|(partition, next)| (name(&partition.app_id), *next)).collect()
}

async fn jitter() {
    let millis = rand::rng().random_range(1..20);
    tokio::time::sleep(Duration::from_millis(millis)).await;
}
