//! Which rows a revision is about.

use arrow::array::RecordBatch;

use super::RevisionError;
use super::stored::{instants, texts};
use crate::lake::DataFile;
use crate::time::Timestamp;

/// Which rows a revision is about: all that lie within every bound that is given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// Calls at or after this instant.
    pub from: Option<Timestamp>,
    /// Calls before this instant.
    pub to: Option<Timestamp>,
    /// Calls of this tenant, as it is now.
    pub tenant: Option<String>,
}

impl Scope {
    /// Whether a file may have such rows.
    pub(super) fn may_have(&self, file: &DataFile) -> bool {
        let Some(day) = file.days() else { return true };
        let starts = self.from.is_none_or(|from| day >= from.days());
        starts && self.to.is_none_or(|to| day <= to.days())
    }

    /// Which rows of a batch are.
    ///
    /// # Errors
    /// [`RevisionError::Lake`] when the batch is not one of `calls`.
    pub(super) fn of(&self, rows: &RecordBatch) -> Result<Vec<bool>, RevisionError> {
        let tenants = texts(rows, "tenant")?.iter();
        let rows = instants(rows, "occurred_at")?.zip(tenants);
        let is_in = rows.map(|(at, tenant)| {
            self.from.is_none_or(|from| at >= from)
                && self.to.is_none_or(|to| at < to)
                && self.tenant.as_deref().is_none_or(|wanted| tenant == Some(wanted))
        });
        Ok(is_in.collect())
    }
}
