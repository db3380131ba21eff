//! The lake, looked at from outside: tables one by one, nothing created, damage named.

use std::sync::Arc;

use futures::StreamExt;
use object_store::ObjectStoreExt;

use super::config::LakeConfig;
use super::error::LakeError;
use super::files::DataFile;
use super::location::Location;
use super::log::Log;
use super::table::{Table, path_of};
use super::tables::TableName;
use crate::time::Clock;

/// How many files are looked at at a time.
const LOOKED_AT_ONCE: usize = 16;

/// A table that is there, or why it cannot be opened.
pub type Inspected = (TableName, Result<Table, LakeError>);

/// Opens every table that is there, each by itself.
///
/// # Errors
/// [`LakeError::Location`] when the configured place cannot be used.
pub async fn inspect(
    config: &LakeConfig,
    clock: Arc<dyn Clock>,
) -> Result<Vec<Inspected>, LakeError> {
    let location = Location::open(config)?;
    let mut inspected = Vec::new();
    for name in TableName::ALL {
        let root = location.root.join(&format!("{}/", name.name()));
        let root = root.map_err(|why| LakeError::internal("locating a table", why))?;
        match Log::list_newest(&location.store, &path_of(&root)?).await {
            Ok(log) if log.is_empty() => {}
            Ok(_) => {
                let opened = Table::open(name.spec(), &location, Arc::clone(&clock)).await;
                inspected.push((name, opened));
            }
            Err(error) => inspected.push((name, Err(error))),
        }
    }
    Ok(inspected)
}

impl Table {
    /// What is wrong with the data files that the newest version names: one that is not there, or
    /// that has another size than its entry says.
    ///
    /// # Errors
    /// [`LakeError::Retryable`] when the log or the store cannot be read.
    pub async fn damaged_files(&self) -> Result<Vec<LakeError>, LakeError> {
        let files = self.refresh().await?.files().await?;
        let looked = futures::stream::iter(files.iter()).map(|file| self.look_at(file));
        let mut looked = looked.buffered(LOOKED_AT_ONCE);
        let mut damaged = Vec::new();
        while let Some(found) = looked.next().await {
            damaged.extend(found?);
        }
        Ok(damaged)
    }

    async fn look_at(&self, file: &DataFile) -> Result<Option<LakeError>, LakeError> {
        let why = match self.object_store().head(&self.location(file)?).await {
            Ok(meta) if meta.size == file.size => return Ok(None),
            Ok(meta) => format!("it has {} bytes, its log entry says {}", meta.size, file.size),
            Err(object_store::Error::NotFound { .. }) => "it is not there".to_owned(),
            Err(error) => {
                return Err(LakeError::from_store(format!("looking at `{}`", file.path), error));
            }
        };
        let table = self.name().name().to_owned();
        Ok(Some(LakeError::Damaged { table, file: file.path.clone(), why }))
    }
}
