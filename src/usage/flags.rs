//! What was noticed about a call without being its status.

use std::borrow::Cow;

/// Remarks such as `dialect_inferred` or `rate_fallback:standard`: sorted, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flags(Vec<Cow<'static, str>>);

impl Flags {
    /// Adds a remark; one that is there already changes nothing.
    pub fn insert(&mut self, flag: impl Into<Cow<'static, str>>) {
        let flag = flag.into();
        if let Err(place) = self.0.binary_search(&flag) {
            self.0.insert(place, flag);
        }
    }

    /// Takes a remark back that a closer look explains.
    pub fn remove(&mut self, flag: &str) {
        self.0.retain(|known| known != flag);
    }

    /// Adds all remarks of another list.
    pub fn extend(&mut self, other: &Self) {
        other.0.iter().for_each(|flag| self.insert(flag.clone()));
    }

    /// Whether the remark is there.
    pub fn contains(&self, flag: &str) -> bool {
        self.0.binary_search_by(|known| known.as_ref().cmp(flag)).is_ok()
    }

    /// The remarks, sorted.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
