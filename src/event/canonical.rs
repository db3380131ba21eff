//! The canonical form of an event: what its content hash covers.

use super::CallEvent;

impl CallEvent {
    /// The event as canonical JSON: sorted keys, exact numbers, absent fields left out.
    pub fn canonical(&self) -> String {
        String::new()
    }
}
