//! The embedded durable log: one SQLite file, one partition, offsets that are never reused.
//!
//! It is the most proven of the embedded stores, and a group commit makes its speed: one fsync
//! acknowledges every append that waited for it.

mod reader;
mod schema;
mod writer;

pub use reader::SpoolSource;
pub use writer::SpoolLog;

use std::path::Path;
use std::sync::Arc;

use super::config::SpoolConfig;
use super::{Origin, Partition, SourceError};
use crate::crash;

/// The spool's name where others have a topic's.
const TOPIC: &str = "spool";

/// Both ends of a spool.
#[derive(Debug)]
pub struct Spool {
    /// The end that the pipeline reads.
    pub source: SpoolSource,
    /// The end that front doors write.
    pub log: Arc<SpoolLog>,
    /// The UUID made at its creation: the data directory's manifest names it.
    pub id: String,
}

impl Spool {
    /// Opens the spool in a file, or makes it.
    ///
    /// # Errors
    /// [`SourceError::Fatal`] when the file is no spool or cannot be opened.
    pub fn open(path: &Path, config: &SpoolConfig) -> Result<Self, SourceError> {
        let (connection, id) = schema::open(path, config)?;
        crash::point("spool.opened");
        let extent = schema::extent(&connection).map_err(|error| {
            SourceError::Fatal(format!("cannot read `{}`: {error}", path.display()))
        })?;
        let partition = Arc::new(Partition {
            app_id: format!("tokenmeter/spool/{id}"),
            topic: TOPIC.to_owned(),
            number: 0,
            origin: Origin::Envelopes,
        });
        let (log, written) = SpoolLog::start(connection, extent.high, path)?;
        let source = SpoolSource::new(path, partition, log.clone(), written, extent.low);
        Ok(Self { source, log, id })
    }
}
