//! The keys at hand: looked up in memory, read again from their store from time to time.

use std::sync::{Arc, PoisonError, RwLock};

use super::{KeyError, KeyHash, KeyRecord, KeyScope, KeyStore, KeyText, NewKey};
use crate::time::Clock;

/// The label and owner of a key that came from the environment.
const FIRST: &str = "first";

/// Why a key opens no door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefusal {
    /// No such key.
    #[error("the API key is not known here")]
    Unknown,
    /// It has expired.
    #[error("the API key has expired")]
    Expired,
    /// It was revoked.
    #[error("the API key was revoked")]
    Revoked,
}

/// All keys, in memory.
pub struct KeyRing {
    store: Arc<dyn KeyStore>,
    clock: Arc<dyn Clock>,
    records: RwLock<Arc<Vec<KeyRecord>>>,
}

impl KeyRing {
    /// Reads all keys.
    ///
    /// # Errors
    /// [`KeyError::Store`].
    pub async fn open(store: Arc<dyn KeyStore>, clock: Arc<dyn Clock>) -> Result<Self, KeyError> {
        let ring = Self { store, clock, records: RwLock::default() };
        ring.refresh().await?;
        Ok(ring)
    }

    /// Reads all keys again; on an error the ones at hand stay.
    ///
    /// # Errors
    /// [`KeyError::Store`].
    pub async fn refresh(&self) -> Result<(), KeyError> {
        let records = Arc::new(self.store.load().await?);
        *self.records.write().unwrap_or_else(PoisonError::into_inner) = records;
        Ok(())
    }

    /// Every key, revoked and expired ones included.
    pub fn records(&self) -> Arc<Vec<KeyRecord>> {
        self.records.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether there never was a key: then, and on a loopback address only, none is asked for.
    pub fn is_empty(&self) -> bool {
        self.records().is_empty()
    }

    /// The record of a key that a request brought.
    ///
    /// # Errors
    /// [`KeyRefusal`].
    pub fn admit(&self, text: &str) -> Result<KeyRecord, KeyRefusal> {
        let (hash, records) = (KeyHash::of(text), self.records());
        // Every record is compared, in constant time each: the time taken tells nothing.
        let found = records
            .iter()
            .fold(None, |found, record| if record.hash == hash { Some(record) } else { found });
        let record = found.ok_or(KeyRefusal::Unknown)?;
        match record.revoked_at {
            Some(_) => Err(KeyRefusal::Revoked),
            None if !record.is_live(self.clock.now()) => Err(KeyRefusal::Expired),
            None => Ok(record.clone()),
        }
    }

    /// Makes a key. Its text is in the answer and nowhere else.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn create(&self, new: NewKey) -> Result<(KeyRecord, KeyText), KeyError> {
        let text = KeyText::generate();
        let record = self.keep(new, &text).await?;
        Ok((record, text))
    }

    /// Keeps the key that the environment brings, unless it is there already.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn ensure_first(&self, text: &str) -> Result<KeyRecord, KeyError> {
        let text = KeyText::given(text)?;
        let hash = text.hash();
        if let Some(known) = self.records().iter().find(|record| record.hash == hash) {
            return Ok(known.clone());
        }
        let new = NewKey {
            owner: FIRST.to_owned(),
            label: "from the environment".to_owned(),
            scopes: [KeyScope::Ingest, KeyScope::Query, KeyScope::Admin].into(),
            claims_allowed: true,
            ..NewKey::default()
        };
        self.keep(new, &text).await
    }

    /// Ends a key now.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn revoke(&self, key_id: &str) -> Result<KeyRecord, KeyError> {
        self.refresh().await?;
        let records = self.records();
        let known = records.iter().find(|record| record.key_id == key_id);
        let mut record = known.ok_or_else(|| KeyError::Unknown(key_id.to_owned()))?.clone();
        if record.revoked_at.is_none() {
            record.revoked_at = Some(self.clock.now());
            self.store.put(&record, self.clock.now()).await?;
            self.refresh().await?;
        }
        Ok(record)
    }

    async fn keep(&self, new: NewKey, text: &KeyText) -> Result<KeyRecord, KeyError> {
        let record = KeyRecord {
            key_id: text.id(),
            hash: text.hash(),
            prefix: text.prefix(),
            terms: new.checked()?,
            created_at: self.clock.now(),
            revoked_at: None,
        };
        if self.records().iter().any(|other| other.key_id == record.key_id) {
            return Err(KeyError::Invalid(format!("the key id `{}` is taken", record.key_id)));
        }
        self.store.put(&record, self.clock.now()).await?;
        self.refresh().await?;
        Ok(record)
    }
}
