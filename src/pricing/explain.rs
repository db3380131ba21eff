//! How a cost comes about, as text that a finance person reads.

use super::PriceBook;
use crate::event::CallEvent;
use crate::usage::Usage;

impl PriceBook {
    /// How that cost comes about: row, formula and every factor.
    pub fn explain(&self, _event: &CallEvent, _usage: &Usage, _tenant: Option<&str>) -> String {
        String::new()
    }
}
