//! The text of an API key: a prefix, an id that may be shown, and 256 random bits.
//!
//! In: nothing, or what an operator or a request brings. Out: the id and the SHA-256, which is all
//! that is ever stored. The text itself is shown once, when the key is made.

use sha2::{Digest, Sha256};

use super::KeyError;
use crate::setting::Secret;

const PREFIX: &str = "tm";
const ID_BYTES: usize = 6;
const LENGTH_MIN: usize = 32;
const LENGTH_MAX: usize = 256;

/// A key as its holder has it.
#[derive(Debug, Clone)]
pub struct KeyText(Secret);

impl KeyText {
    /// A new key: `tm_<12 hex digits: its id>_<64 hex digits: the secret>`.
    pub fn generate() -> Self {
        let id: [u8; ID_BYTES] = rand::random();
        let secret: [u8; 32] = rand::random();
        Self(Secret::new(format!("{PREFIX}_{}_{}", hex(&id), hex(&secret))))
    }

    /// A key that an operator made, for a first start.
    ///
    /// # Errors
    /// [`KeyError::Invalid`] when it is too short to be a secret, or cannot stand in a header.
    pub fn given(text: &str) -> Result<Self, KeyError> {
        let fits = (LENGTH_MIN..=LENGTH_MAX).contains(&text.len());
        if !fits || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = format!(
                "a key must be {LENGTH_MIN} to {LENGTH_MAX} visible ASCII characters, such as \
                 `openssl rand -hex 32` prints"
            );
            return Err(KeyError::Invalid(message));
        }
        Ok(Self(Secret::new(text.to_owned())))
    }

    /// The text, to be shown once.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// The id, which tells nothing of the secret.
    pub fn id(&self) -> String {
        let derived = || hex(&self.hash().0).chars().take(2 * ID_BYTES).collect();
        self.own_id().map_or_else(derived, str::to_owned)
    }

    /// How the text begins, without any of the secret; empty for one that an operator made.
    pub fn prefix(&self) -> String {
        self.own_id().map(|id| format!("{PREFIX}_{id}")).unwrap_or_default()
    }

    /// The id in the text of a key that was made here.
    fn own_id(&self) -> Option<&str> {
        let mut parts = self.reveal().split('_');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(PREFIX), Some(id), Some(_), None) if id.len() == 2 * ID_BYTES => Some(id),
            _ => None,
        }
    }

    /// What is stored of it.
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(self.reveal())
    }
}

/// The SHA-256 of a key.
#[derive(Debug, Clone, Copy, Eq)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// The hash of a key's text.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// From what is stored.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// What is stored.
    pub const fn bytes(self) -> [u8; 32] {
        self.0
    }
}

impl PartialEq for KeyHash {
    /// Takes the same time wherever the hashes differ.
    fn eq(&self, other: &Self) -> bool {
        let difference = self.0.iter().zip(other.0).fold(0, |all, (a, b)| all | (a ^ b));
        std::hint::black_box(difference) == 0
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart_by_id_and_never_shown() {
        let (one, other) = (KeyText::generate(), KeyText::generate());
        assert_ne!(one.id(), other.id());
        assert!(one.hash() != other.hash() && one.hash() == KeyHash::of(one.reveal()));
        assert_eq!(one.reveal().len(), 3 + 12 + 1 + 64);
        assert!(one.reveal().contains(&one.id()) && !format!("{one:?}").contains(&one.id()));
        assert!(one.reveal().starts_with(&one.prefix()) && one.prefix().len() == 3 + 12);
    }

    #[test]
    fn given_keys_must_be_long_enough() {
        assert!(KeyText::given("hunter2").is_err());
        assert!(KeyText::given(&"é".repeat(40)).is_err());
        let given = KeyText::given(&"k".repeat(40)).expect("long enough");
        assert_eq!((given.id().len(), given.prefix().len()), (12, 0));
        assert!(!"k".repeat(40).contains(&given.id()));
    }
}
