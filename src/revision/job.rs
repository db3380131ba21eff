//! A revision from its survey to its commit.
//!
//! Order: the fence is claimed, so that of two revisions the later one goes on; what earlier ones
//! left behind when they died is swept away; both sides are appended to `call_revisions`; then one
//! commit to `calls` removes the old files, adds the new ones and carries the revision's id. Killed
//! before that commit, nothing of the revision counts; killed after it, all of it does.

use std::time::Duration;

use rand::Rng;
use tokio::time::Instant;

use super::change::Change;
use super::rewrite::{Dates, Rewriter, Staged, survey};
use super::{Author, RevisionError, sweep};
use crate::crash;
use crate::lake::{
    Commit, DataFile, Lake, Operation, Outcome, Revision, Snapshot, Table, TableName,
};
use crate::time::Timestamp;

/// How long one that was overtaken lets others work. Two that began again at once would overtake
/// each other again and again.
fn wait(took: Duration, attempt: u32) -> Duration {
    let longest = took.saturating_mul(2 << attempt.min(4)).min(WAIT_MAX);
    rand::rng().random_range(Duration::ZERO..=longest)
}

/// The application id that a counted revision has in `calls`.
pub(super) fn app_id(revision_id: &str) -> String {
    format!("revision/{revision_id}")
}

/// Of two revisions at the same time only the later one is committed.
const FENCE: &str = "revisions/fence";
/// How often a revision is begun again, when files were merged or it lost the fence.
const ATTEMPTS_MAX: u32 = 5;
/// The longest wait before it is begun again.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// The most changed rows in one commit: a larger revision is several, whole dates each.
const ROWS_MAX: u64 = if cfg!(test) { 1_000 } else { 2_000_000 };

/// Merges are held back for so long at a time.
const HOLD_SECONDS: i64 = 900;

/// What a revision did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// The ids of its commits, oldest first; none when nothing changed.
    pub revision_ids: Vec<String>,
    /// How many rows changed.
    pub rows: u64,
    /// Corrections whose row is not committed yet: they are due later.
    pub waiting: u64,
}

/// The right to revise: the version of `calls` that says so.
struct Claim {
    on: Snapshot,
    fence: i64,
}

/// What a survey found, to be written.
struct Plan<C> {
    dates: Dates,
    rows: u64,
    change: C,
}

/// A revision by somebody, for a reason.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job<'a> {
    /// The tables.
    pub lake: &'a Lake,
    /// Who, when and why.
    pub author: &'a Author,
    /// Whether changed rows may leave the order that their file is sorted in.
    pub moves_rows: bool,
}

impl Job<'_> {
    /// Applies a change, and gives back what the survey saw of it.
    ///
    /// # Errors
    /// [`RevisionError`]. Of a revision in several commits the first ones may count then; the same
    /// one again goes on from there.
    pub async fn apply<C: Change>(&self, change: &C) -> Result<(Applied, C), RevisionError> {
        let mut applied = Applied::default();
        for attempt in 0..ATTEMPTS_MAX {
            let began = Instant::now();
            let attempted = self.attempt(change, &mut applied).await;
            crash::point("revise.attempted");
            // Held merges go on by themselves when this cannot be written.
            if let Err(error) = self.calls().hold_merges(Timestamp::EPOCH).await {
                tracing::warn!(%error, "merges are held back for some minutes yet");
            }
            if let Some(surveyed) = attempted? {
                return Ok((applied, surveyed));
            }
            tokio::time::sleep(wait(began.elapsed(), attempt)).await;
        }
        Err(RevisionError::Overtaken { attempts: ATTEMPTS_MAX })
    }

    /// One attempt; `None`: somebody was faster.
    async fn attempt<C: Change>(
        &self,
        change: &C,
        applied: &mut Applied,
    ) -> Result<Option<C>, RevisionError> {
        let mut claim = self.claim().await?;
        crash::point("revise.claimed");
        sweep::sweep(self.lake, &claim.on).await?;
        crash::point("revise.swept");
        let mut surveyed = change.clone();
        surveyed.prepare(&claim.on).await?;
        let change = surveyed.clone();
        let files = claim.on.files().await?;
        let dates = survey(self.calls(), &files, &mut surveyed).await?;
        surveyed.check()?;
        crash::point("revise.surveyed");
        let plan = Plan { dates, rows: surveyed.rows_changed(), change };
        Ok(self.write(&mut claim, plan, applied).await?.then_some(surveyed))
    }

    /// Holds back merges for so long that the next date can be written.
    async fn hold(&self) -> Result<Snapshot, RevisionError> {
        let until = self.calls().now().plus_seconds(HOLD_SECONDS);
        Ok(self.calls().hold_merges(until).await?)
    }

    fn calls(&self) -> &Table {
        self.lake.table(TableName::Calls)
    }

    /// Raises the fence: from here on no revision that began earlier is committed.
    async fn claim(&self) -> Result<Claim, RevisionError> {
        let mut on = self.hold().await?;
        loop {
            let fence = on.next_offset(FENCE).await?.unwrap_or_default() + 1;
            let raise = Commit::append(Vec::new(), vec![(FENCE.to_owned(), fence)]);
            match self.calls().commit(&on, &raise).await? {
                Outcome::Committed(on) => return Ok(Claim { on, fence }),
                Outcome::Conflicted { newest } => on = newest,
                Outcome::Superseded { .. } => on = self.calls().refresh().await?,
            }
        }
    }

    /// Writes and commits the surveyed files, date by date; `false`: somebody was faster.
    async fn write(
        &self,
        claim: &mut Claim,
        mut plan: Plan<impl Change>,
        applied: &mut Applied,
    ) -> Result<bool, RevisionError> {
        let (mut revision, mut staged) = (self.revision(), Staged::default());
        let mut left = plan.rows;
        for (date, files) in std::mem::take(&mut plan.dates) {
            self.hold().await?;
            let before = staged.rows;
            match self.rewrite(&files, &revision, &mut plan.change).await {
                Ok(more) => staged.extend(more),
                Err(error) => {
                    staged.discard(self.lake).await;
                    return Err(error);
                }
            }
            left = left.saturating_sub(staged.rows - before);
            if staged.rows < ROWS_MAX || left == 0 {
                continue;
            }
            tracing::info!(?date, rows = staged.rows, "a large revision is committed in parts");
            if !self.commit(claim, &revision, std::mem::take(&mut staged), applied).await? {
                return Ok(false);
            }
            revision = self.revision();
        }
        if left > 0 {
            staged.discard(self.lake).await;
            let why = format!("{left} rows changed in the survey only");
            return Err(RevisionError::misfit(why));
        }
        crash::point("revise.rewritten");
        let added = self.add(&revision, &plan.change).await;
        match added {
            Ok(added) => staged.extend(added),
            Err(error) => {
                staged.discard(self.lake).await;
                return Err(error);
            }
        }
        if staged.is_empty() {
            return Ok(true);
        }
        self.commit(claim, &revision, staged, applied).await
    }

    /// Stages what a change adds beside the rows that it changes.
    async fn add(
        &self,
        revision: &Revision,
        change: &impl Change,
    ) -> Result<Staged, RevisionError> {
        let mut staged = Staged::default();
        staged.transactions.extend_from_slice(change.transactions());
        staged.write(self.lake, revision, change.additions()).await?;
        Ok(staged)
    }

    async fn rewrite(
        &self,
        files: &[DataFile],
        revision: &Revision,
        change: &mut impl Change,
    ) -> Result<Staged, RevisionError> {
        let Some(first) = files.first() else { return Ok(Staged::default()) };
        change.begin(first.date.as_deref()).await?;
        let mut rewriter = Rewriter::new(self, revision, first.days());
        for file in files {
            if let Err(error) = rewriter.rewrite(file, change).await {
                rewriter.discard().await;
                return Err(error);
            }
        }
        rewriter.finish().await
    }

    async fn commit(
        &self,
        claim: &mut Claim,
        revision: &Revision,
        staged: Staged,
        applied: &mut Applied,
    ) -> Result<bool, RevisionError> {
        crash::point("revise.staged");
        let id = &revision.revision_id;
        let mut transactions = staged.transactions.clone();
        if !staged.sides.is_empty() {
            let transaction = (app_id(id), 1);
            self.append(Commit::append(staged.sides.clone(), vec![transaction.clone()])).await?;
            transactions.push(transaction);
        }
        crash::point("revise.sides_committed");
        transactions.push((FENCE.to_owned(), claim.fence + 1));
        let commit = Commit {
            operation: Operation::Revise,
            add: staged.add.clone(),
            remove: staged.remove.clone(),
            transactions,
            marks: Vec::new(),
            amends: false,
        };
        let committed = self.calls().replace(&claim.on, &commit).await?;
        crash::point("revise.committed");
        if committed {
            *claim = Claim { on: self.calls().snapshot()?, fence: claim.fence + 1 };
            applied.rows += staged.rows;
            applied.revision_ids.push(id.clone());
        } else {
            // The sides are committed, and count for nothing: the next sweep removes them.
            self.calls().discard(&staged.add).await;
        }
        Ok(committed)
    }

    async fn append(&self, sides: Commit) -> Result<(), RevisionError> {
        let table = self.lake.table(TableName::CallRevisions);
        let mut on = table.refresh().await?;
        loop {
            match table.commit(&on, &sides).await? {
                Outcome::Committed(_) | Outcome::Superseded { .. } => return Ok(()),
                Outcome::Conflicted { newest } => on = newest,
            }
        }
    }

    fn revision(&self) -> Revision {
        let Author { by, reason, at } = self.author.clone();
        // In order of time, and short enough for the log's statistics.
        Revision { revision_id: uuid::Uuid::now_v7().simple().to_string(), by, at, reason }
    }
}
