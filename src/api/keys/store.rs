//! Where keys are kept, so that instances share them and none needs a disk of its own.

use async_trait::async_trait;

use super::{KeyError, KeyRecord};
use crate::time::Timestamp;

/// A place for keys. A record put later replaces the one of the same id.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Every key, revoked and expired ones included.
    ///
    /// # Errors
    /// [`KeyError::Store`].
    async fn load(&self) -> Result<Vec<KeyRecord>, KeyError>;

    /// Keeps a record durably, as what holds from that time on.
    ///
    /// # Errors
    /// [`KeyError::Store`].
    async fn put(&self, record: &KeyRecord, at: Timestamp) -> Result<(), KeyError>;
}
