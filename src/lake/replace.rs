//! Commits that put files in the place of others.
//!
//! After a conflict the same is committed again while the inputs are active and the fence is where
//! it was: an append every second must not starve it.

use std::collections::HashSet;
use std::time::Duration;

use super::commit::{Commit, Outcome};
use super::error::LakeError;
use super::snapshot::Snapshot;
use super::table::Table;

/// How often it is committed again after conflicts.
const ATTEMPTS_MAX: u32 = 100;
/// So many attempts follow each other without a wait.
const AT_ONCE: u32 = 4;
/// The longest wait between two attempts.
const WAIT_MAX: Duration = Duration::from_millis(100);

impl Table {
    /// Commits the replacement of files; `false`: somebody else rewrote them first, or moved the
    /// fence, and nothing was changed.
    ///
    /// # Errors
    /// As [`Table::commit`].
    pub async fn replace(&self, on: &Snapshot, commit: &Commit) -> Result<bool, LakeError> {
        let mut on = on.clone();
        for attempt in 0..ATTEMPTS_MAX {
            let active = paths(&on).await?;
            if !commit.remove.iter().all(|path| active.contains(path)) {
                return Ok(false);
            }
            match self.commit(&on, commit).await? {
                Outcome::Committed(_) => return Ok(true),
                Outcome::Superseded { .. } => return Ok(false),
                Outcome::Conflicted { newest } => on = newest,
            }
            // At once, mostly: whoever commits often is sooner than any wait.
            if attempt % AT_ONCE == AT_ONCE - 1 {
                tokio::time::sleep(wait(attempt)).await;
                // What was the newest version at the conflict is an old one after the wait.
                on = self.refresh().await?;
            }
        }
        Ok(false)
    }
}

async fn paths(on: &Snapshot) -> Result<HashSet<String>, LakeError> {
    Ok(on.files().await?.iter().map(|file| file.path.clone()).collect())
}

fn wait(attempt: u32) -> Duration {
    let longest = Duration::from_millis(2).saturating_mul(1 << attempt.min(6)).min(WAIT_MAX);
    longest.mul_f64(rand::random::<f64>())
}
