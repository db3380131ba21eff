//! A source, looked at from outside: nothing is read, made or taken over.

use std::path::Path;

use super::config::{SourceConfig, SourceKind};
use super::spool;
use super::{Extent, Partition, SourceError};

/// A partition and how far it reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// The partition.
    pub partition: Partition,
    /// What can be read of it.
    pub extent: Extent,
    kind: SourceKind,
}

impl Reach {
    /// Whether reading can go on at an offset that the lake names.
    ///
    /// # Errors
    /// [`SourceError::Fatal`] when it has expired, or when the log is another one.
    pub fn check(&self, next: i64) -> Result<(), SourceError> {
        match self.kind {
            SourceKind::Spool => spool::check(&self.partition.topic, next, self.extent),
            #[cfg(feature = "kafka")]
            SourceKind::Kafka => super::kafka::check(&self.partition, next, self.extent),
            #[cfg(not(feature = "kafka"))]
            SourceKind::Kafka => Ok(()),
        }
    }
}

/// Looks at every partition of what the configuration names; the embedded log's id is the last part
/// of its partition's.
///
/// # Errors
/// [`SourceError`]: it cannot be opened or reached.
pub async fn inspect(config: &SourceConfig, data_dir: &Path) -> Result<Vec<Reach>, SourceError> {
    let kind = config.kind;
    let (config, path) = (config.clone(), config.spool.path(data_dir));
    let looked = tokio::task::spawn_blocking(move || match config.kind {
        SourceKind::Spool => Ok(vec![spool::inspect(&path)?]),
        #[cfg(feature = "kafka")]
        SourceKind::Kafka => super::kafka::inspect(&config.kafka),
        #[cfg(not(feature = "kafka"))]
        SourceKind::Kafka => Ok(Vec::new()),
    });
    let found = looked.await.map_err(|error| SourceError::Fatal(error.to_string()))??;
    Ok(found.into_iter().map(|(partition, extent)| Reach { partition, extent, kind }).collect())
}
