//! Remarks on a book or an import: counted by kind, with examples; never errors.

/// Remarks on a book or an import, by kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The remarks, in the order in which their kinds came up.
    pub remarks: Vec<Remark>,
}

/// One kind of remark on a book or an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// What it is about: `float_residue`, `unknown_key`.
    pub kind: &'static str,
    /// How often.
    pub count: usize,
    /// The first few; of unknown keys all.
    pub examples: Vec<String>,
}

impl Report {
    /// How many examples of a kind are kept.
    const EXAMPLES_MAX: usize = 20;

    /// The kind of which none may be left out: what an import did not understand.
    pub const UNKNOWN_KEY: &str = "unknown_key";

    /// Counts one more of a kind.
    pub(super) fn add(&mut self, kind: &'static str, example: impl FnOnce() -> String) {
        let place = self.remarks.iter().position(|remark| remark.kind == kind);
        if place.is_none() {
            self.remarks.push(Remark { kind, count: 0, examples: Vec::new() });
        }
        let place = place.unwrap_or(self.remarks.len() - 1);
        if let Some(remark) = self.remarks.get_mut(place) {
            remark.count += 1;
            if remark.examples.len() < Self::EXAMPLES_MAX || kind == Self::UNKNOWN_KEY {
                remark.examples.push(example());
            }
        }
    }

    /// How often a kind was remarked.
    pub fn count(&self, kind: &str) -> usize {
        self.remarks.iter().filter(|remark| remark.kind == kind).map(|remark| remark.count).sum()
    }
}
