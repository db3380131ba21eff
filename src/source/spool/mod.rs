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
use super::{Extent, Origin, Partition, SourceError};
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
        let partition = Arc::new(partition(&id));
        let (log, written) = SpoolLog::start(connection, extent.high, path)?;
        let source = SpoolSource::new(path, partition, log.clone(), written, extent.low);
        Ok(Self { source, log, id })
    }
}

fn partition(id: &str) -> Partition {
    Partition {
        app_id: format!("tokenmeter/spool/{id}"),
        topic: TOPIC.to_owned(),
        number: 0,
        origin: Origin::Envelopes,
    }
}

/// Looks at a spool from outside.
///
/// # Errors
/// [`SourceError::Fatal`] when the file is not there, is no spool, or is damaged.
pub(super) fn inspect(path: &Path) -> Result<(Partition, Extent), SourceError> {
    let (id, extent) = schema::inspect(path).map_err(|error| {
        SourceError::Fatal(format!("cannot read the spool `{}`: {error}", path.display()))
    })?;
    Ok((partition(&id), extent))
}

/// Checks that reading can go on at `offset`.
///
/// # Errors
/// [`SourceError::Fatal`]: the spool is an older copy, or the lake is.
pub(super) fn check(name: &str, offset: i64, extent: Extent) -> Result<(), SourceError> {
    if offset > extent.high {
        return Err(SourceError::Fatal(format!(
            "the lake has read the spool `{name}` up to offset {offset}, but it ends before {}: it \
             was replaced by an older copy; put the right one back",
            extent.high
        )));
    }
    if offset < extent.low {
        return Err(SourceError::Fatal(format!(
            "the lake has read the spool `{name}` up to offset {offset}, but what lies below {} \
             was deleted when a lake had it: this lake is another one or an older copy; put the \
             right one back",
            extent.low
        )));
    }
    Ok(())
}
