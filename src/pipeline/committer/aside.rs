//! What is committed beside `calls`, and before it: dead letters, and corrections into their queue.

use super::{Committer, jitter, transactions};
use crate::crash;
use crate::lake::{
    Batch, Commit, Correction, LakeError, Outcome, Rows, Snapshot, StagedFile, Table, TableName,
};
use crate::pipeline::batch::Decided;
use crate::pipeline::lineage;

/// What is committed beside `calls`, and before it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Aside {
    DeadLetters,
    Corrections,
}

impl Aside {
    pub(super) const fn table(self) -> TableName {
        match self {
            Self::DeadLetters => TableName::DeadLetters,
            Self::Corrections => TableName::CallRevisions,
        }
    }

    /// A partition's application id in its table.
    pub(super) fn app_id(self, partition: &str) -> String {
        match self {
            Self::DeadLetters => format!("{partition}/dead"),
            Self::Corrections => format!("{partition}/rev"),
        }
    }

    const fn is_empty(self, batch: &Decided) -> bool {
        match self {
            Self::DeadLetters => batch.dead.is_empty() && batch.replayed.is_empty(),
            Self::Corrections => batch.corrections.is_empty(),
        }
    }

    fn rows(self, batch: &Decided) -> Result<Vec<Batch>, LakeError> {
        match self {
            Self::DeadLetters => {
                let mut rows = Rows::default();
                batch.dead.iter().for_each(|dead| rows.push(dead));
                batch.replayed.iter().for_each(|replayed| rows.push(&replayed.row));
                rows.finish()
            }
            Self::Corrections => Correction::rows(&batch.corrections),
        }
    }

    /// Drops replays that are told already: they were committed before a crash, or somebody else
    /// replayed the same letter.
    async fn forget_told(
        self,
        batch: &mut Decided,
        table: &Table,
        on: &Snapshot,
    ) -> Result<(), LakeError> {
        if matches!(self, Self::DeadLetters) && !batch.replayed.is_empty() {
            let told = lineage::replayed(table, on).await?;
            batch.replayed.retain(|replayed| !told.contains(&lineage::place(&replayed.row)));
        }
        Ok(())
    }

    fn committed(self, batch: &mut Decided) {
        match self {
            Self::DeadLetters => {
                batch.dead_committed.append(&mut batch.dead);
                batch.replayed_committed.append(&mut batch.replayed);
            }
            Self::Corrections => batch.corrections_committed.append(&mut batch.corrections),
        }
    }
}

impl Committer {
    /// Appends dead letters and corrections that are not in their tables yet, with their own
    /// offsets, and drops what belongs to partitions that were lost meanwhile.
    pub(super) async fn commit_aside(&self, batch: &mut Decided) -> Result<(), LakeError> {
        self.append(batch, Aside::DeadLetters).await?;
        self.append(batch, Aside::Corrections).await
    }

    async fn append(&self, batch: &mut Decided, aside: Aside) -> Result<(), LakeError> {
        let table = self.table(aside);
        let mut on = table.snapshot()?;
        let mut staged: Option<Vec<StagedFile>> = None;
        while !aside.is_empty(batch) {
            let taken = self.taken_over(&on, batch).await?;
            if !taken.is_empty() {
                taken.iter().for_each(|partition| batch.lose(partition));
                table.discard(&staged.take().unwrap_or_default()).await;
                continue;
            }
            let files = match staged.take() {
                Some(files) => files,
                None => {
                    aside.forget_told(batch, table, &on).await?;
                    table.write(aside.rows(batch)?).await?
                }
            };
            crash::point_in("aside.staged", table.name().name());
            let app_ids = transactions(batch, |app_id| aside.app_id(app_id));
            let mut commit = Commit::append(files.clone(), app_ids);
            // After a crash, or when rows lose their identity to others, the range is stored
            // already; what is in the table was left out when it was read back.
            commit.amends = true;
            match table.commit(&on, &commit).await {
                Ok(Outcome::Committed(_)) => {
                    crash::point_in("aside.committed", table.name().name());
                    aside.committed(batch);
                    break;
                }
                Ok(Outcome::Conflicted { .. } | Outcome::Superseded { .. }) => {}
                Err(error) => {
                    table.discard(&files).await;
                    return Err(error);
                }
            }
            staged = Some(files);
            jitter().await;
            // After the wait, not before it: others have committed meanwhile.
            on = table.refresh().await?;
        }
        Ok(())
    }
}
