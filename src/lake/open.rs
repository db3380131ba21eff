//! The lake: one place, its tables.

use std::sync::Arc;

use object_store::ObjectStore;
use url::Url;

use super::config::LakeConfig;
use super::error::LakeError;
use super::location::Location;
use super::table::Table;
use super::tables::TableName;
use crate::time::Clock;

/// All tables under one root. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Lake {
    root: Url,
    store: Arc<dyn ObjectStore>,
    tables: Arc<[Table]>,
}

impl Lake {
    /// Opens every table of the lake; those that are not there are created. One that must not be
    /// used says so when it is asked, and the others serve.
    ///
    /// It needs a multi-threaded tokio runtime.
    ///
    /// # Errors
    /// [`LakeError::Location`] when the configured place cannot be used, [`LakeError::Retryable`]
    /// when a log cannot be read.
    pub async fn open(config: &LakeConfig, clock: Arc<dyn Clock>) -> Result<Self, LakeError> {
        Self::open_at(Location::open(config)?, clock).await
    }

    /// Opens the lake in a store of the caller's own.
    #[cfg(test)]
    pub(crate) async fn open_in(
        root: Url,
        store: Arc<dyn ObjectStore>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LakeError> {
        Self::open_at(Location { root, store }, clock).await
    }

    async fn open_at(location: Location, clock: Arc<dyn Clock>) -> Result<Self, LakeError> {
        let open =
            |name: TableName| Table::open_or_keep(name.spec(), &location, Arc::clone(&clock));
        let opened = TableName::ALL.into_iter().map(open);
        let tables: Vec<Table> = futures::future::try_join_all(opened).await?;
        Ok(Self { root: location.root, store: location.store, tables: tables.into() })
    }

    /// One of the tables.
    ///
    /// # Panics
    /// Never: every table is opened with the lake.
    pub fn table(&self, name: TableName) -> &Table {
        let found = self.tables.iter().find(|table| table.name() == name);
        found.expect("every table is opened with the lake")
    }

    /// Every table.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The root of all tables, ending with a slash.
    pub const fn root(&self) -> &Url {
        &self.root
    }

    /// The store that the files are in; its paths are the paths of their URLs.
    pub fn object_store(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.store)
    }
}
