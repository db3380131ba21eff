//! The price book.

use super::{BookError, Config, Cost, CostStatus, Layer, Listing};
use crate::event::CallEvent;
use crate::time::Timestamp;
use crate::usage::Usage;

/// Dated price rows in layers, indexed for rating. It never changes: a reload makes a new one.
#[derive(Debug, Default)]
pub struct PriceBook {}

impl PriceBook {
    /// The book that is built into the program.
    pub fn builtin() -> Self {
        Self {}
    }

    /// The built-in book with layers over it, the later ones winning.
    ///
    /// # Errors
    /// A [`BookError`] that names file, line and what was expected.
    pub fn load(_layers: &[Layer]) -> Result<Self, BookError> {
        Ok(Self {})
    }

    /// The same book under the operator's decisions.
    #[must_use]
    pub fn with_config(self, _config: &Config) -> Self {
        self
    }

    /// The hash of all layers' canonical content.
    pub fn version(&self) -> &str {
        ""
    }

    /// When the newest of its prices was read from its source.
    pub fn fetched_at(&self) -> Option<Timestamp> {
        None
    }

    /// The instant it was last refreshed, when that is longer ago than the configuration allows.
    pub fn stale_since(&self, _now: Timestamp) -> Option<Timestamp> {
        None
    }

    /// Every row of every layer.
    pub fn rows(&self) -> impl Iterator<Item = Listing> + '_ {
        std::iter::empty()
    }

    /// What `usage` of `event` costs at the event's time, for a tenant with its overrides.
    pub fn rate(&self, _event: &CallEvent, _usage: &Usage, _tenant: Option<&str>) -> Cost {
        Cost::unknown(CostStatus::Unpriced)
    }

    /// How that cost comes about: row, formula and every factor, as text for a finance person.
    pub fn explain(&self, _event: &CallEvent, _usage: &Usage, _tenant: Option<&str>) -> String {
        String::new()
    }

    /// What a careful reader would ask about: counts and examples; nothing here is an error.
    pub fn check(&self) -> Report {
        Report::default()
    }
}

/// Remarks on a book or an import, by kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The kind of remark, how often it was made, and some examples.
    pub remarks: Vec<Remark>,
}

/// One kind of remark on a book or an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// What it is about: `float_residue`, `unknown_key`.
    pub kind: &'static str,
    /// How often.
    pub count: usize,
    /// The first few.
    pub examples: Vec<String>,
}
