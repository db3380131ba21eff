//! What makes an event the same event again, and the same content.

use sha2::{Digest, Sha256};

use super::CallEvent;

/// The version of the hashes below; a change of the canonical form raises it.
pub const HASH_VERSION: i32 = 1;

/// The two hashes of an event: the first 16 bytes of a SHA-256 each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Over (namespace, source, event id), each preceded by its length.
    pub identity_hash: [u8; 16],
    /// Over the decoded, allow-listed event in canonical form, without arrival data.
    pub content_hash: [u8; 16],
}

impl Identity {
    /// The hashes of an event under the namespace of its sender.
    pub fn of(event: &CallEvent, namespace: &str) -> Self {
        let mut hasher = Sha256::new();
        for part in [namespace, &event.source, &event.event_id] {
            hasher.update(part.len().to_be_bytes());
            hasher.update(part.as_bytes());
        }
        let identity_hash = first_half(hasher);
        Self { identity_hash, content_hash: content_hash_of(event.canonical().as_bytes()) }
    }
}

/// The content hash of bytes: of an event's canonical form, or of what could not be decoded.
pub fn content_hash_of(bytes: &[u8]) -> [u8; 16] {
    let mut hasher = Sha256::new();
    hasher.update(bytes);
    first_half(hasher)
}

fn first_half(hasher: Sha256) -> [u8; 16] {
    let mut half = [0; 16];
    half.iter_mut().zip(hasher.finalize()).for_each(|(to, from)| *to = from);
    half
}
