//! The price book in force, and its reload.
//!
//! In: book files. Out: the current book, for whoever meters. A broken file never replaces a good
//! book: the old one stays, and that is said. A version's rows are in the table `prices` before any
//! charge names it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::PipelineMetrics;
use crate::crash;
use crate::lake::{Commit, Lake, LakeError, Outcome, PriceRow, Rows, TableName};
use crate::pricing::{self, BookError, Layer, Listing, PriceBook};
use crate::time::{Clock, Timestamp};

/// Under this id the table `prices` keeps how many versions of the book it has.
const APP_ID: &str = "tokenmeter/prices";

/// The book in force, shared.
#[derive(Debug, Clone)]
pub struct Books {
    config: Arc<pricing::Config>,
    current: watch::Sender<Arc<PriceBook>>,
}

/// Why a book was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file cannot be read.
    #[error("cannot read the price book `{}`: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is wrong.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The book could not be stored.
    #[error(transparent)]
    Lake(#[from] LakeError),
}

impl Books {
    /// Reads the files as layers over the built-in book.
    ///
    /// # Errors
    /// [`LoadError`] with file, line and what was expected.
    pub fn open(config: &pricing::Config) -> Result<Self, LoadError> {
        let book = Arc::new(read(config)?);
        Ok(Self { config: Arc::new(config.clone()), current: watch::Sender::new(book) })
    }

    /// The book in force.
    pub fn current(&self) -> Arc<PriceBook> {
        self.current.borrow().clone()
    }

    /// Stores the rows of the book in force, unless the lake has them.
    ///
    /// # Errors
    /// [`LoadError::Lake`].
    pub async fn store(&self, lake: &Lake, now: Timestamp) -> Result<(), LoadError> {
        Ok(store_book(lake, &self.current(), now).await?)
    }

    /// Looks at the files again. A changed book is stored in the lake and then put in force; says
    /// whether there was one.
    ///
    /// # Errors
    /// [`LoadError`]; the old book stays in force.
    pub async fn reload(&self, lake: &Lake, now: Timestamp) -> Result<bool, LoadError> {
        let layers = layers(&self.config)?;
        if self.current().is_of(&layers) {
            return Ok(false);
        }
        let book = PriceBook::load(&layers)?.with_config(&self.config);
        if book.version() == self.current().version() {
            return Ok(false);
        }
        store_book(lake, &book, now).await?;
        crash::point("book.stored");
        self.current.send_replace(Arc::new(book));
        crash::point("book.in_force");
        Ok(true)
    }

    /// Reloads from time to time, until told to stop.
    pub async fn watch(
        self,
        lake: Arc<Lake>,
        metrics: PipelineMetrics,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) {
        let pause = self.config.reload_interval.0;
        let mut said = String::new();
        self.tell_age(&metrics, clock.now());
        while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            match self.reload(&lake, clock.now()).await {
                Ok(true) => {
                    said.clear();
                    metrics.book_reloads.with_label_values(&["loaded"]).inc();
                    tracing::info!(version = self.current().version(), "price book in force");
                    self.tell_age(&metrics, clock.now());
                }
                Ok(false) => said.clear(),
                Err(error) => {
                    metrics.book_reloads.with_label_values(&["broken"]).inc();
                    let error = error.to_string();
                    if error != said {
                        tracing::error!(error, "the price book in force stays");
                        said = error;
                    }
                }
            }
        }
    }

    /// Says when the book was not refreshed for long.
    fn tell_age(&self, metrics: &PipelineMetrics, now: Timestamp) {
        let stale = self.current().stale_since(now);
        metrics.book_stale.set(i64::from(stale.is_some()));
        if let Some(since) = stale {
            tracing::warn!(%since, "the price book was last refreshed long ago: prices may differ");
        }
    }
}

/// Reads the configured files as layers over the built-in book.
///
/// # Errors
/// [`LoadError`] with file, line and what was expected.
fn read(config: &pricing::Config) -> Result<PriceBook, LoadError> {
    Ok(PriceBook::load(&layers(config)?)?.with_config(config))
}

fn layers(config: &pricing::Config) -> Result<Vec<Layer>, LoadError> {
    config.books.iter().map(|path| layer(path)).collect()
}

/// A book file as a layer.
///
/// # Errors
/// [`LoadError::Unreadable`].
pub fn layer(path: &Path) -> Result<Layer, LoadError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| LoadError::Unreadable { path: path.to_owned(), source })?;
    Ok(Layer::new(path.display().to_string(), text))
}

/// Stores the rows of a book, unless the lake has them.
///
/// # Errors
/// [`LakeError`].
pub async fn store_book(lake: &Lake, book: &PriceBook, now: Timestamp) -> Result<(), LakeError> {
    let table = lake.table(TableName::Prices);
    // The version is part of the id: whoever stored it first, its rows are there once.
    let app_id = format!("{APP_ID}/{}", book.version());
    let mut snapshot = table.refresh().await?;
    if snapshot.next_offset(&app_id).await?.is_some() {
        return Ok(());
    }
    crash::point("book.begun");
    let mut rows = Rows::default();
    for listing in book.rows() {
        rows.push(&row(book.version(), listing, now));
    }
    let commit = Commit::append(table.write(rows.finish()?).await?, vec![(app_id, 1)]);
    crash::point("book.staged");
    loop {
        match table.commit(&snapshot, &commit).await? {
            Outcome::Committed(_) | Outcome::Superseded { .. } => return Ok(()),
            Outcome::Conflicted { newest } => snapshot = newest,
        }
    }
}

fn row(version: &str, listing: Listing, now: Timestamp) -> PriceRow {
    PriceRow {
        price_book_version: version.to_owned(),
        loaded_at: Some(now),
        layer: listing.layer,
        layer_order: i32::try_from(listing.layer_order).unwrap_or(i32::MAX),
        row_kind: listing.row_kind.to_owned(),
        price_id: listing.price_id,
        tenant: listing.tenant,
        provider: listing.provider,
        model: listing.model,
        unit_class: listing.unit_class,
        amount: listing.amount,
        per: listing.per.and_then(|per| i64::try_from(per).ok()),
        currency: listing.currency,
        service_tier: listing.service_tier,
        conditions: listing.conditions,
        effective_from: listing.effective_from,
        effective_to: listing.effective_to,
        source_url: listing.source_url,
        fetched_at: listing.fetched_at,
        note: listing.note,
    }
}
