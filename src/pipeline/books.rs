//! The price book in force, and its reload.
//!
//! In: book files. Out: the current book, for whoever meters. A broken file never replaces a good
//! book: the old one stays, and that is said. A version's rows are in the table `prices` before any
//! charge names it.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;

use crate::lake::{Lake, LakeError};
use crate::pricing::{BookError, Layer, PriceBook};

/// The book in force, shared.
#[derive(Debug, Clone)]
pub struct Books {
    paths: Arc<[PathBuf]>,
    current: watch::Sender<Arc<PriceBook>>,
}

impl Books {
    /// Reads the files as layers over the built-in book.
    ///
    /// # Errors
    /// [`BookError`] with file, line and what was expected.
    pub fn open(paths: &[PathBuf]) -> Result<Self, BookError> {
        let book = read(paths)?;
        Ok(Self { paths: paths.into(), current: watch::Sender::new(Arc::new(book)) })
    }

    /// The book in force.
    pub fn current(&self) -> Arc<PriceBook> {
        self.current.borrow().clone()
    }

    /// Looks at the files again. A changed book is stored in the lake and then put in force; says
    /// whether there was one.
    ///
    /// # Errors
    /// [`ReloadError`]; the old book stays in force.
    pub async fn reload(&self, lake: &Lake) -> Result<bool, ReloadError> {
        let paths = Arc::clone(&self.paths);
        let read = tokio::task::spawn_blocking(move || read(&paths));
        let book = read.await.map_err(|error| ReloadError::Reader(error.to_string()))??;
        if book.version() == self.current().version() {
            return Ok(false);
        }
        let book = Arc::new(book);
        lake.store_book(&book).await?;
        self.current.send_replace(book);
        Ok(true)
    }
}

/// Why a book was not reloaded.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The files are wrong.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The book could not be stored.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The task that reads died.
    #[error("reading the price books stopped: {0}")]
    Reader(String),
}

fn read(paths: &[PathBuf]) -> Result<PriceBook, BookError> {
    let mut layers = vec![Layer::builtin()];
    for path in paths {
        layers.push(Layer::read(path)?);
    }
    PriceBook::load(layers)
}
