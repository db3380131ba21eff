//! The price book.

use std::sync::{Arc, LazyLock};

use sha2::{Digest, Sha256};

use super::index::Index;
use super::listing::{self, Listing};
use super::rate::Rater;
use super::{BookError, Config, Cost, Layer, builtin, read, validate};
use crate::event::CallEvent;
use crate::time::Timestamp;
use crate::usage::Usage;

/// Dated price rows in layers, indexed for rating. It never changes: a reload makes a new one.
///
/// A clone is cheap: it shares the rows.
#[derive(Debug, Clone, Default)]
pub struct PriceBook {
    pub(super) index: Arc<Index>,
    pub(super) layers: Arc<[String]>,
    pub(super) config: Arc<Config>,
    version: Arc<str>,
    /// The hash of the files as they were read, remarks and all.
    files: [u8; 32],
    fetched_at: Option<Timestamp>,
}

impl PriceBook {
    /// The book that is built into the program.
    pub fn builtin() -> Self {
        static BUILT_IN: LazyLock<PriceBook> = LazyLock::new(|| {
            PriceBook::from_layers(&builtin::layers()).expect("the built-in book is tested")
        });
        BUILT_IN.clone()
    }

    /// The built-in book with layers over it, the later ones winning.
    ///
    /// # Errors
    /// A [`BookError`] that names file, line and what was expected.
    pub fn load(layers: &[Layer]) -> Result<Self, BookError> {
        if layers.is_empty() {
            return Ok(Self::builtin());
        }
        let mut all = builtin::layers();
        all.extend_from_slice(layers);
        Self::from_layers(&all)
    }

    /// A book of these layers alone, without the built-in one.
    ///
    /// # Errors
    /// A [`BookError`] that names file, line and what was expected.
    pub fn from_layers(layers: &[Layer]) -> Result<Self, BookError> {
        let mut books = Vec::with_capacity(layers.len());
        for (place, layer) in layers.iter().enumerate() {
            let book = read::read(layer, place)?;
            validate::validate(layer, &book)?;
            books.push(book);
        }
        let names: Vec<String> = layers.iter().map(|layer| layer.name.clone()).collect();
        let index = Index::new(books);
        let version = listing::version(listing::listings(&index, &names));
        let fetched_at = index.prices.iter().filter_map(|row| row.origin.fetched_at).max();
        Ok(Self {
            index: Arc::new(index),
            layers: names.into(),
            config: Arc::default(),
            version: version.into(),
            files: hash_of(layers),
            fetched_at,
        })
    }

    /// Whether the book was loaded from exactly these layers over the built-in book: then loading
    /// them again would make the same one.
    pub fn is_of(&self, layers: &[Layer]) -> bool {
        let mut all = builtin::layers();
        all.extend_from_slice(layers);
        self.files == hash_of(&all)
    }

    /// The same book under the operator's decisions.
    #[must_use]
    pub fn with_config(self, config: &Config) -> Self {
        Self { config: Arc::new(config.clone()), ..self }
    }

    /// The hash of all layers' canonical content.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// When the newest of its prices was read from its source.
    pub const fn fetched_at(&self) -> Option<Timestamp> {
        self.fetched_at
    }

    /// The instant it was last refreshed, when that is longer ago than the configuration allows.
    pub fn stale_since(&self, now: Timestamp) -> Option<Timestamp> {
        let limit = self.config.stale_after.micros();
        self.fetched_at.filter(|fetched_at| now.micros_since(*fetched_at) > limit)
    }

    /// Every row of every layer.
    pub fn rows(&self) -> impl Iterator<Item = Listing> + '_ {
        listing::listings(&self.index, &self.layers)
    }

    /// What `usage` of `event` costs at the event's time, for a tenant with its overrides.
    pub fn rate(&self, event: &CallEvent, usage: &Usage, tenant: Option<&str>) -> Cost {
        let mut cost = self.rater(event, usage, tenant).rate();
        cost.price_book_version = Some(self.version.to_string());
        cost
    }

    pub(super) fn rater<'a>(
        &'a self,
        event: &'a CallEvent,
        usage: &'a Usage,
        tenant: Option<&'a str>,
    ) -> Rater<'a> {
        Rater { index: &self.index, config: &self.config, event, usage, tenant }
    }
}

fn hash_of(layers: &[Layer]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for layer in layers {
        for part in [&layer.name, &layer.text] {
            hash.update(part.len().to_be_bytes());
            hash.update(part.as_bytes());
        }
    }
    hash.finalize().into()
}
