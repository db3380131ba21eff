//! The data directory: whether it can be written, and whether its log is its own.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::Finding;
use crate::cli::data_dir::named_log;
use crate::config::Config;
use crate::source::SourceKind;

/// A batch of rows is hardly larger.
const PROBE_BYTES: usize = 8 << 20;

/// Whether a file can be written here; one that is not there yet is nothing to find.
pub(super) fn directory(data_dir: &Path) -> Option<Finding> {
    if !data_dir.exists() {
        return None;
    }
    let error = probe(data_dir).err()?;
    let what = format!("`{}`: {error}", data_dir.display());
    Some(match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            let remedy = "free some space: what waits is taken in by itself then";
            Finding::wrong("disk", what, remedy)
        }
        ErrorKind::ReadOnlyFilesystem => {
            Finding::wrong("disk", what, "mount it writable: events are refused until then")
        }
        _ => Finding::wrong("data directory", what, "name a directory that can be written"),
    })
}

/// Writes as much as a batch may need, and deletes it again.
fn probe(data_dir: &Path) -> std::io::Result<()> {
    let path = data_dir.join(format!(".doctor-{}", std::process::id()));
    let written = File::create(&path).and_then(|mut file| {
        file.write_all(&vec![0; PROBE_BYTES])?;
        file.sync_all()
    });
    let removed = std::fs::remove_file(&path);
    written.and(removed)
}

/// Whether the log that the manifest names is there.
pub(super) fn manifest(config: &Config) -> Option<Finding> {
    if config.source.kind != SourceKind::Spool {
        return None;
    }
    let named = match named_log(&config.data_dir) {
        Ok(named) => named?,
        Err(error) => {
            let remedy = "put the file back: it names the log that belongs here";
            return Some(Finding::wrong("manifest", format!("{error:#}"), remedy));
        }
    };
    let spool = config.source.spool.path(&config.data_dir);
    if spool.exists() {
        return None;
    }
    let what = format!("`{}` is gone, the manifest names the log `{named}`", spool.display());
    let remedy = "put it back: what it had acknowledged and the lake has not is only there";
    Some(Finding::wrong("spool", what, remedy))
}
