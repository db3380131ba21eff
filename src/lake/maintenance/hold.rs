//! Merges held back for a while: whoever rewrites files does not want them merged meanwhile.
//!
//! The instant until which they are held is in the table's log, so that every process sees it; it
//! ends by itself when its holder dies.

use crate::crash;
use crate::lake::commit::{Commit, Outcome};
use crate::lake::error::LakeError;
use crate::lake::snapshot::Snapshot;
use crate::lake::table::Table;
use crate::time::Timestamp;

/// The application id whose version is the instant, in microseconds.
const HELD_UNTIL: &str = "merges/held-until";

impl Table {
    /// Holds back merges until an instant; one that is past lets them go on.
    ///
    /// # Errors
    /// As [`Table::commit`].
    pub async fn hold_merges(&self, until: Timestamp) -> Result<Snapshot, LakeError> {
        let mut on = self.refresh().await?;
        let mut commit = Commit::append(Vec::new(), Vec::new());
        commit.marks.push((HELD_UNTIL.to_owned(), until.micros()));
        loop {
            crash::point("hold.begun");
            match self.commit(&on, &commit).await? {
                Outcome::Committed(version) => return Ok(version),
                Outcome::Conflicted { newest } => on = newest,
                Outcome::Superseded { .. } => on = self.refresh().await?,
            }
        }
    }
}

/// Whether merges are held back.
pub(super) async fn is_held(on: &Snapshot, now: Timestamp) -> Result<bool, LakeError> {
    let until = on.next_offset(HELD_UNTIL).await?;
    Ok(until.is_some_and(|until| until > now.micros()))
}
