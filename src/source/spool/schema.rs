//! The spool's file: its tables, and how they are opened.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::source::config::{SpoolConfig, SpoolDurability};
use crate::source::{Extent, SourceError};

const FORMAT: &str = "1";
const PAGE_BYTES: usize = 4_096;
/// What the write-ahead log keeps of the disk once it begins anew: it grows while somebody reads.
const WAL_BYTES_KEPT: usize = 64 << 20;

/// Opens the file for writing, with its id; makes it when it is not there.
pub(super) fn open(path: &Path, config: &SpoolConfig) -> Result<(Connection, String), SourceError> {
    let fatal = |error: rusqlite::Error| {
        SourceError::Fatal(format!("cannot open the spool `{}`: {error}", path.display()))
    };
    private_file(path)?;
    let connection = Connection::open(path).map_err(fatal)?;
    let synchronous = match config.durability {
        SpoolDurability::Fsync => "FULL",
        SpoolDurability::Os => "NORMAL",
    };
    let pages_max = config.size_max.0 / PAGE_BYTES;
    connection
        .execute_batch(&format!(
            "PRAGMA page_size = {PAGE_BYTES};
             PRAGMA journal_mode = WAL;
             PRAGMA synchronous = {synchronous};
             PRAGMA wal_autocheckpoint = 0;
             PRAGMA journal_size_limit = {WAL_BYTES_KEPT};
             PRAGMA max_page_count = {pages_max};
             CREATE TABLE IF NOT EXISTS entries (
                 offset INTEGER PRIMARY KEY AUTOINCREMENT,
                 accepted_at INTEGER NOT NULL,
                 payload BLOB NOT NULL
             );
             CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);"
        ))
        .map_err(fatal)?;
    let id = uuid::Uuid::new_v4().to_string();
    for (name, value) in [("id", id.as_str()), ("format", FORMAT)] {
        connection
            .execute("INSERT OR IGNORE INTO facts VALUES (?1, ?2)", [name, value])
            .map_err(fatal)?;
    }
    let fact = |name: &str| -> Result<String, SourceError> {
        let query = "SELECT value FROM facts WHERE name = ?1";
        connection.query_row(query, [name], |row| row.get(0)).map_err(fatal)
    };
    let format = fact("format")?;
    if format != FORMAT {
        return Err(SourceError::Fatal(format!(
            "the spool `{}` has format {format}, expected {FORMAT}: use the tokenmeter that \
             wrote it",
            path.display()
        )));
    }
    let id = fact("id")?;
    Ok((connection, id))
}

/// Opens the file for reading.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}

/// The id and extent of a spool that is there; a damaged file is an error.
pub(super) fn inspect(path: &Path) -> rusqlite::Result<(String, Extent)> {
    let connection = open_reader(path)?;
    let checked: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if checked != "ok" {
        let damaged = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        return Err(rusqlite::Error::SqliteFailure(damaged, Some(checked)));
    }
    let query = "SELECT value FROM facts WHERE name = 'id'";
    let id = connection.query_row(query, [], |row| row.get(0))?;
    Ok((id, extent(&connection)?))
}

/// How far the spool reaches; offsets that were deleted count as written.
pub(super) fn extent(connection: &Connection) -> rusqlite::Result<Extent> {
    let last: Option<i64> = connection
        .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'entries'", [], |row| row.get(0))
        .optional()?;
    let first: Option<i64> =
        connection.query_row("SELECT min(offset) FROM entries", [], |row| row.get(0))?;
    let high = last.unwrap_or(0).saturating_add(1);
    Ok(Extent { low: first.unwrap_or(high), high })
}

/// Only the owner may read what is accepted.
fn private_file(path: &Path) -> Result<(), SourceError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(|_| ()).map_err(|error| {
        SourceError::Fatal(format!("cannot make the spool `{}`: {error}", path.display()))
    })
}
