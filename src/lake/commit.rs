//! One commit: rows and the offsets they came from, together or not at all.
//!
//! It says what happened and never tries again by itself: a version that is taken is a conflict
//! whoever took it, and the caller compares offsets and identities with the refreshed snapshot
//! first.

use std::collections::HashSet;
use std::sync::Arc;

use delta_kernel::committer::FileSystemCommitter;
use delta_kernel::engine::arrow_data::ArrowEngineData;
use delta_kernel::transaction::{CommitResult, Transaction, UpdateTableOperation};
use delta_kernel::{KernelResult, SnapshotRef};

use super::create::ENGINE_INFO;
use super::error::LakeError;
use super::files;
use super::snapshot::{Engine, Snapshot, blocking};
use super::stage::StagedFile;
use super::table::Table;

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
    /// For each source partition (or fence, or revision) its application id and the NEXT offset.
    /// Every commit carries one, so that a lost answer can be told from a lost commit.
    pub transactions: Vec<(String, i64)>,
    /// Whether the rows may belong to a range whose offsets are stored already: the caller has made
    /// sure, by lineage, that they are not there yet. An offset that is stored and later stays.
    pub amends: bool,
}

impl Commit {
    /// Rows, and for each source partition the next offset to read.
    pub const fn append(add: Vec<StagedFile>, transactions: Vec<(String, i64)>) -> Self {
        Self { operation: Operation::Append, add, remove: Vec::new(), transactions, amends: false }
    }
}

/// What became of a commit.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is durable, as this version.
    Committed(Snapshot),
    /// The version was taken: nothing was committed, unless an answer was lost and it was this very
    /// commit. Refresh, compare offsets and identities again, and commit what is left; the staged
    /// files stay good.
    Conflicted {
        /// The version that was taken.
        version: u64,
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
    /// Commits on a snapshot: it succeeds only as the version after it.
    ///
    /// # Errors
    /// [`LakeError::OutcomeUnknown`] when it may have landed: ask [`Table::landed`] until that
    /// answers. [`LakeError::NoSpace`] and [`LakeError::Retryable`]: it did not.
    pub async fn commit(&self, on: &Snapshot, commit: &Commit) -> Result<Outcome, LakeError> {
        if commit.transactions.is_empty() {
            return Err(LakeError::internal(self.committing(), "a commit without a transaction"));
        }
        if self.is_stale(on) {
            return Ok(Outcome::Conflicted { version: on.version() + 1 });
        }
        let commit = match settle(on, commit).await? {
            Settled::Commit(commit) => commit,
            Settled::Superseded(outcome) => return Ok(outcome),
        };
        let taken_at = self.now();
        let (kernel, engine) = (on.kernel().clone(), Arc::clone(self.engine()));
        let (what, attempt) = (self.committing(), commit.clone());
        let attempted =
            blocking(what.clone(), move || attempt_commit(&kernel, &engine, &attempt, &what));
        match attempted.await?.map_err(|failure| self.sort(failure))? {
            CommitResult::Committed(committed) => {
                let kernel = committed.post_commit_snapshot().cloned();
                let next = kernel.map(|kernel| {
                    self.install(on.followed_by(kernel, &commit.transactions, taken_at))
                });
                match next {
                    Some(snapshot) => Ok(Outcome::Committed(snapshot)),
                    None => Ok(Outcome::Committed(self.refresh().await?)),
                }
            }
            CommitResult::Conflicted(conflict) => {
                Ok(Outcome::Conflicted { version: conflict.conflict_version() })
            }
            CommitResult::Retryable(failed) => Err(self
                .sort(Failure::Writing(LakeError::from_kernel(self.committing(), failed.error)))),
        }
    }

    /// Whether a commit of unknown outcome landed: the log names its files, or has its transactions
    /// or later ones. The latter is also so when another writer had the range; it is in the table
    /// all the same. Of a commit that amends a range only its files can tell.
    ///
    /// # Errors
    /// [`LakeError::Retryable`] while the log cannot be read: ask again.
    pub async fn landed(&self, commit: &Commit) -> Result<bool, LakeError> {
        let newest = self.refresh().await?;
        if let Some(first) = commit.add.first() {
            let named = self.names(first, &newest).await?;
            if named || commit.amends {
                return Ok(named);
            }
        }
        for (app_id, version) in &commit.transactions {
            if newest.next_offset(app_id).await?.is_none_or(|stored| stored < *version) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a commit since the file was staged names it; a merge may have replaced it already.
    async fn names(&self, staged: &StagedFile, newest: &Snapshot) -> Result<bool, LakeError> {
        let active = newest.files().await?;
        if active.iter().any(|file| file.path == staged.path) {
            return Ok(true);
        }
        let added = self.added_since(staged.staged_at, newest).await?;
        Ok(added.is_some_and(|files| files.iter().any(|file| file.path == staged.path)))
    }

    fn committing(&self) -> String {
        format!("committing to `{}`", self.name().name())
    }

    /// A commit that failed while its log entry was written may have landed, unless the local disk
    /// says it was full or refuses writes.
    fn sort(&self, failure: Failure) -> LakeError {
        match failure {
            Failure::Preparing(error) => error,
            Failure::Writing(
                error @ (LakeError::NoSpace { .. } | LakeError::WritesRefused { .. }),
            ) => error,
            Failure::Writing(error) => LakeError::OutcomeUnknown {
                table: self.name().name().to_owned(),
                why: error.to_string(),
            },
        }
    }
}

/// Where a commit failed.
enum Failure {
    /// Before anything was written.
    Preparing(LakeError),
    /// While the log entry was written.
    Writing(LakeError),
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

fn attempt_commit(
    snapshot: &SnapshotRef,
    engine: &Engine,
    commit: &Commit,
    what: &str,
) -> Result<CommitResult, Failure> {
    let prepared = prepare(snapshot, engine, commit);
    let preparing = |error| Failure::Preparing(LakeError::from_kernel(what, error));
    let (transaction, removed) = prepared.map_err(preparing)?;
    if removed != commit.remove.len() {
        let why = format!("{removed} of {} files to be removed are active", commit.remove.len());
        return Err(Failure::Preparing(LakeError::internal(what, why)));
    }
    transaction
        .commit(engine)
        .map_err(|error| Failure::Writing(LakeError::from_kernel(what, error)))
}

fn prepare(
    snapshot: &SnapshotRef,
    engine: &Engine,
    commit: &Commit,
) -> KernelResult<(Transaction, usize)> {
    let (operation, data_change) = match commit.operation {
        Operation::Append => (UpdateTableOperation::StreamingUpdate, true),
        Operation::Compact => (UpdateTableOperation::Optimize, false),
        Operation::Revise => (UpdateTableOperation::Write, true),
    };
    let builder = snapshot.clone().update_table(operation, ENGINE_INFO, data_change);
    let builder = commit
        .transactions
        .iter()
        .fold(builder, |builder, (app_id, version)| builder.with_transaction_id(app_id, *version));
    let mut transaction = builder.build(engine, Box::new(FileSystemCommitter::new()))?;
    for file in &commit.add {
        transaction.add_files(Box::new(ArrowEngineData::new(file.entry.clone())));
    }
    let mut removed = 0;
    if !commit.remove.is_empty() {
        let remove: HashSet<&str> = commit.remove.iter().map(String::as_str).collect();
        for entries in files::entries(snapshot, engine)? {
            let mut found = 0;
            let narrowed = entries?.narrowed(|path| {
                let hit = remove.contains(path);
                found += usize::from(hit);
                hit
            })?;
            if found > 0 {
                transaction.remove_files(narrowed);
            }
            removed += found;
        }
    }
    Ok((transaction, removed))
}
