//! Rows that exist, changed: history under another book or other rules, taken back, or only asked.
//!
//! In: which rows, and under which terms they are metered again. Out: the difference by tenant,
//! model and day; applied, one commit to `calls` with both sides of every row in `call_revisions`,
//! and who, when and why. Never: a row of half a revision, or a past that cannot be told any more.

mod change;
mod columns;
mod correct;
mod difference;
mod error;
mod explain;
mod history;
mod job;
mod remeter;
mod request;
mod rewrite;
mod rollback;
mod scope;
mod stored;
mod sweep;
mod task;
#[cfg(test)]
mod tests;
mod verbs;

pub use difference::{Difference, Group, Sides, Sum};
pub use error::RevisionError;
pub use explain::{CALL, ExplainedCall, explained};
pub use history::{Entry, history};
pub use job::Applied;
pub use remeter::Terms;
pub use request::{
    Book, GroupReport, InForce, RevisionReport, RevisionRequest, RevisionView, SidesReport,
};
pub use scope::Scope;
pub use task::keep_correcting;
pub use verbs::{Author, apply, apply_corrections, dry_run, rollback};
