//! What can be done: try, apply, roll back.

use super::change::Change;
use super::correct::Corrections;
use super::history::counts;
use super::job::{Applied, Job};
use super::remeter::Remeter;
use super::rewrite::survey;
use super::rollback::Rollback;
use super::{Difference, RevisionError, Scope, Terms};
use crate::crash;
use crate::lake::{Lake, TableName};
use crate::pipeline::store_book;
use crate::time::Timestamp;

/// Who revises, when and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// Who asks for it.
    pub by: String,
    /// Why; every changed row carries it.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// What metering the stored rows again would change; nothing is stored.
///
/// # Errors
/// [`RevisionError::Lake`].
pub async fn dry_run(
    lake: &Lake,
    scope: &Scope,
    terms: &Terms,
) -> Result<Difference, RevisionError> {
    let calls = lake.table(TableName::Calls);
    let files = calls.refresh().await?.files().await?;
    let mut change = Remeter::new(scope, terms);
    survey(calls, &files, &mut change).await?;
    Ok(change.difference)
}

/// Meters stored rows again and stores what comes out otherwise.
///
/// # Errors
/// [`RevisionError`]; nothing counts then of the commit that failed.
pub async fn apply(
    lake: &Lake,
    scope: &Scope,
    terms: &Terms,
    author: &Author,
) -> Result<(Applied, Difference), RevisionError> {
    if !terms.models.is_empty() {
        let why = "another model is a what-if: it can be asked for, but not applied";
        return Err(RevisionError::Invalid(why.to_owned()));
    }
    check(author)?;
    store_book(lake, &terms.book, author.at).await?;
    let job = Job { lake, author, moves_rows: terms.rules.is_some() };
    let (applied, surveyed) = job.apply(&Remeter::new(scope, terms)).await?;
    Ok((applied, surveyed.difference))
}

/// Takes a revision back: its rows become what they were before it, by one more revision.
///
/// # Errors
/// [`RevisionError::Unknown`]; [`RevisionError::ChangedSince`] when a later revision has changed
/// some of its rows again: nothing is changed then.
pub async fn rollback(lake: &Lake, id: &str, author: &Author) -> Result<Applied, RevisionError> {
    check(author)?;
    let calls = lake.table(TableName::Calls).refresh().await?;
    if !counts(&calls, id).await? {
        return Err(RevisionError::Unknown { id: id.to_owned() });
    }
    let sides = lake.table(TableName::CallRevisions).refresh().await?.files().await?;
    let reason = format!("rollback of {id}: {}", author.reason);
    let author = Author { reason, ..author.clone() };
    let job = Job { lake, author: &author, moves_rows: true };
    let (applied, _) = job.apply(&Rollback::new(lake, &sides, id)).await?;
    Ok(applied)
}

/// Applies the corrections that came as events and are due.
///
/// # Errors
/// [`RevisionError`]; what was not applied stays queued.
pub async fn apply_corrections(lake: &Lake) -> Result<Applied, RevisionError> {
    let calls = lake.table(TableName::Calls);
    let mut tried = Corrections::new(lake);
    tried.prepare(&calls.refresh().await?).await?;
    let waiting = tried.waiting();
    if tried.due() == 0 && tried.additions().is_empty() {
        return Ok(Applied { waiting, ..Applied::default() });
    }
    crash::point("correct.due");
    let (by, reason) = ("events".to_owned(), "corrected by a later event".to_owned());
    let author = Author { by, reason, at: calls.now() };
    let job = Job { lake, author: &author, moves_rows: true };
    let (applied, _) = job.apply(&Corrections::new(lake)).await?;
    Ok(Applied { waiting, ..applied })
}

fn check(author: &Author) -> Result<(), RevisionError> {
    if author.reason.trim().is_empty() {
        let why = "a revision needs a reason: every changed row carries it";
        return Err(RevisionError::Invalid(why.to_owned()));
    }
    Ok(())
}
