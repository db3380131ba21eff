//! One commit: rows and the offsets they came from, together or not at all.
//!
//! It ends when its version is decided, by it or by somebody else's commit: an answer that was lost
//! or that comes late is never taken for a "no". A version that is taken is a conflict whoever took
//! it, and the caller compares offsets and identities with the newest snapshot first.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use delta_kernel::committer::FileSystemCommitter;
use delta_kernel::engine::arrow_data::ArrowEngineData;
use delta_kernel::transaction::{CommitResult, Transaction, UpdateTableOperation};
use delta_kernel::{KernelResult, SnapshotRef};

use super::changes::Changes;
use super::create::ENGINE_INFO;
use super::error::LakeError;
use super::files::{self, DataFile};
use super::maintenance::vacuum;
use super::snapshot::{Engine, Snapshot, blocking};
use super::stage::StagedFile;
use super::table::{Table, path_of};
use crate::crash;

/// The wait before a commit of unknown outcome is looked for again, doubled up to the second one.
const LOOK_AGAIN: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// What a commit does to the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Rows are added, or only offsets move.
    Append,
    /// Files are replaced by files of the same rows.
    Compact,
    /// Rows are changed: a revision.
    Revise,
}

/// What is to be committed.
#[derive(Debug, Clone)]
pub struct Commit {
    /// What it does to the rows.
    pub operation: Operation,
    /// Files to be added; none when only offsets move.
    pub add: Vec<StagedFile>,
    /// Paths of files to be removed, as [`super::DataFile::path`] has them.
    pub remove: Vec<String>,
    /// For each source partition (or merge, or revision) its application id and the NEXT offset.
    /// None goes back.
    pub transactions: Vec<(String, i64)>,
    /// Marks that are set whatever they were: who owns a partition.
    pub marks: Vec<(String, i64)>,
    /// Whether the rows may belong to a range whose offsets are stored already: the caller has made
    /// sure, by lineage, that they are not there yet. An offset that is stored and later stays.
    pub amends: bool,
}

impl Commit {
    /// Rows, and for each source partition the next offset to read.
    pub const fn append(add: Vec<StagedFile>, transactions: Vec<(String, i64)>) -> Self {
        Self {
            operation: Operation::Append,
            add,
            remove: Vec::new(),
            transactions,
            marks: Vec::new(),
            amends: false,
        }
    }

    /// All that the log will have as transactions.
    fn transactions(&self) -> impl Iterator<Item = &(String, i64)> {
        self.transactions.iter().chain(&self.marks)
    }
}

/// What became of a commit.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is durable, as this version.
    Committed(Snapshot),
    /// The version is another commit's, or the snapshot was too old to build upon. Nothing was
    /// committed, and nothing will be: compare offsets and identities with the newest snapshot, and
    /// commit what is left; the staged files stay good.
    Conflicted {
        /// The newest snapshot.
        newest: Snapshot,
    },
    /// The snapshot already has an offset at or beyond the batch's: nothing was committed.
    Superseded {
        /// The source partition.
        app_id: String,
        /// What the snapshot has.
        stored: i64,
    },
}

impl Table {
    /// Commits on a snapshot: it succeeds only as the version after it. However long the log
    /// cannot be read, it does not return before it knows.
    ///
    /// # Errors
    /// Nothing was committed, and nothing will be: [`LakeError::NoSpace`],
    /// [`LakeError::Retryable`], also when a file to be added is gone,
    /// [`LakeError::WritesRefused`].
    pub async fn commit(&self, on: &Snapshot, commit: &Commit) -> Result<Outcome, LakeError> {
        let ended = self.commit_on(on, commit).await;
        self.metrics().ended(&ended);
        ended
    }

    async fn commit_on(&self, on: &Snapshot, commit: &Commit) -> Result<Outcome, LakeError> {
        if commit.transactions().next().is_none() {
            return Err(LakeError::internal(self.committing(), "a commit without a transaction"));
        }
        crash::point_in("commit.begun", self.name().name());
        if self.is_stale(on) {
            return Ok(Outcome::Conflicted { newest: self.refresh().await? });
        }
        vacuum::admit(on, &commit.add).await?;
        self.find_staged(&commit.add).await?;
        let commit = match settle(on, commit).await? {
            Settled::Commit(commit) => commit,
            Settled::Superseded(outcome) => return Ok(outcome),
        };
        let removed = removed(on, &commit, &self.committing()).await?;
        crash::point_in("commit.settled", self.name().name());
        let (mut may_have_landed, mut wait) = (false, LOOK_AGAIN.0);
        loop {
            match self.attempt(on, &commit, &removed).await {
                Ok(Some(committed)) => return Ok(Outcome::Committed(committed)),
                // Somebody took the version; with a lost answer, we ourselves.
                Ok(None) => {}
                Err(Failure::Unanswered(why)) => {
                    self.metrics().unanswered();
                    tracing::debug!(table = self.name().name(), why, "a commit without an answer");
                }
                Err(Failure::Refused(error)) if !may_have_landed => return Err(error),
                Err(Failure::Refused(error)) => tracing::warn!(%error, "{}", self.committing()),
            }
            crash::point_in("commit.conflicted", self.name().name());
            may_have_landed = true;
            match self.decided(on.version() + 1, &commit).await {
                Ok(Some(outcome)) => return Ok(outcome),
                // The version is still free, or a listing is behind: the very same again.
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "{}", self.committing()),
            }
            tokio::time::sleep(wait.mul_f64(rand::random::<f64>())).await;
            wait = (wait * 2).min(LOOK_AGAIN.1);
        }
    }

    /// One attempt; `None` when the version is taken.
    async fn attempt(
        &self,
        on: &Snapshot,
        commit: &Commit,
        removed: &Arc<[DataFile]>,
    ) -> Result<Option<Snapshot>, Failure> {
        let taken_at = self.now();
        let (kernel, engine) = (on.kernel().clone(), Arc::clone(self.engine()));
        let (what, attempt, removed) = (self.committing(), commit.clone(), Arc::clone(removed));
        let attempted = blocking(what.clone(), move || {
            attempt_commit(&kernel, &engine, &attempt, &removed, &what)
        });
        crash::point_in("commit.attempting", self.name().name());
        match attempted.await.map_err(|error| Failure::Unanswered(error.to_string()))?? {
            CommitResult::Committed(committed) => {
                let Some(kernel) = committed.post_commit_snapshot().cloned() else {
                    return Ok(None);
                };
                let next = on.followed_by(kernel, commit.transactions(), taken_at);
                crash::point_in("commit.answered", self.name().name());
                self.install(next.clone());
                crash::point_in("commit.installed", self.name().name());
                Ok(Some(next))
            }
            CommitResult::Conflicted(_) => Ok(None),
            CommitResult::Retryable(failed) => {
                Err(writing(LakeError::from_kernel(self.committing(), failed.error)))
            }
        }
    }

    /// What became of a version, once there is one: this commit, or another one.
    async fn decided(&self, version: u64, commit: &Commit) -> Result<Option<Outcome>, LakeError> {
        let newest = self.refresh().await?;
        if newest.version() < version {
            return Ok(None);
        }
        let (store, root) = (self.object_store(), path_of(self.root())?);
        let changes = Changes::between(&store, &root, version - 1, version).await;
        let changes = changes.map_err(|error| LakeError::from_store(self.committing(), error))?;
        let is_ours = match changes {
            Some(changes) => changes.iter().any(|change| is_in(commit, change)),
            // The log was cleaned up meanwhile: what it named is still there.
            None => {
                let files = newest.files().await?;
                commit.add.first().is_some_and(|ours| files.iter().any(|f| f.path == ours.path))
            }
        };
        let committed = || Outcome::Committed(newest.clone());
        Ok(Some(if is_ours { committed() } else { Outcome::Conflicted { newest } }))
    }

    fn committing(&self) -> String {
        format!("committing to `{}`", self.name().name())
    }
}

/// Why an attempt has no success to tell.
enum Failure {
    /// It was not written.
    Refused(LakeError),
    /// It may have landed, or may land yet.
    Unanswered(String),
}

/// A commit that failed while its log entry was written may have landed, unless the local disk says
/// it was full or refuses writes.
fn writing(error: LakeError) -> Failure {
    match error {
        LakeError::NoSpace { .. } | LakeError::WritesRefused { .. } => Failure::Refused(error),
        error => Failure::Unanswered(error.to_string()),
    }
}

/// A commit as it stands against a snapshot.
enum Settled {
    /// It can be tried, with these transactions.
    Commit(Commit),
    /// Its range is there already.
    Superseded(Outcome),
}

/// Offsets never go back, and no range of rows is committed twice.
async fn settle(on: &Snapshot, commit: &Commit) -> Result<Settled, LakeError> {
    let mut commit = commit.clone();
    for (app_id, next) in &mut commit.transactions {
        let Some(stored) = on.next_offset(app_id).await? else { continue };
        if commit.amends {
            *next = stored.max(*next);
        } else if stored > *next || (stored == *next && !commit.add.is_empty()) {
            let app_id = app_id.clone();
            return Ok(Settled::Superseded(Outcome::Superseded { app_id, stored }));
        }
    }
    Ok(Settled::Commit(commit))
}

/// Whether a version is this very commit: it names its first file, or else its transactions.
fn is_in(commit: &Commit, change: &Changes) -> bool {
    match commit.add.first() {
        Some(ours) => change.added.iter().any(|(file, _)| file.path == ours.path),
        None => commit.transactions().all(|ours| change.transactions.contains(ours)),
    }
}

/// The files that a commit removes, as its snapshot has them.
async fn removed(on: &Snapshot, commit: &Commit, what: &str) -> Result<Arc<[DataFile]>, LakeError> {
    if commit.remove.is_empty() {
        return Ok(Arc::default());
    }
    let remove: HashSet<&str> = commit.remove.iter().map(String::as_str).collect();
    let files = on.files().await?;
    let removed = files.iter().filter(|file| remove.contains(file.path.as_str()));
    let removed: Arc<[DataFile]> = removed.cloned().collect();
    if removed.len() != commit.remove.len() {
        let (active, all) = (removed.len(), commit.remove.len());
        let why = format!("{active} of {all} files to be removed are active");
        return Err(LakeError::internal(what, why));
    }
    Ok(removed)
}

fn attempt_commit(
    snapshot: &SnapshotRef,
    engine: &Engine,
    commit: &Commit,
    removed: &[DataFile],
    what: &str,
) -> Result<CommitResult, Failure> {
    let preparing = |error| Failure::Refused(LakeError::from_kernel(what, error));
    let transaction = prepare(snapshot, engine, commit, removed).map_err(preparing)?;
    transaction.commit(engine).map_err(|error| writing(LakeError::from_kernel(what, error)))
}

fn prepare(
    snapshot: &SnapshotRef,
    engine: &Engine,
    commit: &Commit,
    removed: &[DataFile],
) -> KernelResult<Transaction> {
    let (operation, data_change) = match commit.operation {
        Operation::Append => (UpdateTableOperation::StreamingUpdate, true),
        Operation::Compact => (UpdateTableOperation::Optimize, false),
        Operation::Revise => (UpdateTableOperation::Write, true),
    };
    let builder = snapshot.clone().update_table(operation, ENGINE_INFO, data_change);
    let builder = commit
        .transactions()
        .fold(builder, |builder, (app_id, version)| builder.with_transaction_id(app_id, *version));
    let mut transaction = builder.build(engine, Box::new(FileSystemCommitter::new()))?;
    for file in &commit.add {
        transaction.add_files(Box::new(ArrowEngineData::new(file.entry.clone())));
    }
    if !removed.is_empty() {
        transaction.remove_files(files::removal(removed)?);
    }
    Ok(transaction)
}
