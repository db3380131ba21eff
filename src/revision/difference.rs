//! What a revision makes of the figures: before and after, by tenant, model and day.

use std::collections::BTreeMap;

use crate::money::Usd;
use crate::time::Timestamp;

/// What a line of the difference is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// The tenant: before by the old one, after by the new one.
    pub tenant: String,
    /// The model, as the response named it.
    pub model: String,
    /// The UTC date.
    pub date: String,
}

/// Rows, and what they cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// How many.
    pub rows: u64,
    /// What those cost whose cost is known.
    pub cost: Usd,
    /// How many have no known cost.
    pub unknown: u64,
}

impl Sum {
    pub(super) fn add(&mut self, cost: Option<Usd>) {
        self.rows += 1;
        match cost.and_then(|cost| self.cost.checked_add(cost)) {
            Some(sum) => self.cost = sum,
            None => self.unknown += 1,
        }
    }

    fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.unknown += other.unknown;
        self.cost = self.cost.checked_add(other.cost).unwrap_or(self.cost);
    }
}

/// The same rows before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sides {
    /// As they are now.
    pub before: Sum,
    /// As the revision makes them.
    pub after: Sum,
}

/// What a revision changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Rows that were looked at.
    pub rows_read: u64,
    /// Rows that change.
    pub rows_changed: u64,
    /// Rows that stay as they are, since metering them again would refuse them.
    pub rows_refused: u64,
    /// What all rows that were looked at cost now, and after.
    pub total: Sides,
    /// The changed rows by group.
    pub groups: BTreeMap<Group, Sides>,
}

impl Difference {
    /// A row that was looked at, with its cost before and after.
    pub(super) fn read(&mut self, before: Option<Usd>, after: Option<Usd>) {
        self.rows_read += 1;
        self.total.before.add(before);
        self.total.after.add(after);
    }

    /// A row that changes: where it was, and where it goes.
    pub(super) fn changed(&mut self, before: (Group, Option<Usd>), after: (Group, Option<Usd>)) {
        self.rows_changed += 1;
        self.groups.entry(before.0).or_default().before.add(before.1);
        self.groups.entry(after.0).or_default().after.add(after.1);
    }

    /// The changed rows of all groups.
    pub fn changes(&self) -> Sides {
        let mut all = Sides::default();
        for change in self.groups.values() {
            all.before.merge(&change.before);
            all.after.merge(&change.after);
        }
        all
    }
}

impl Group {
    pub(super) fn new(tenant: &str, model: &str, at: Timestamp) -> Self {
        Self { tenant: tenant.to_owned(), model: model.to_owned(), date: at.date() }
    }
}
