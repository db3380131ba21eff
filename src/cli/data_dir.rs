//! The data directory of the embedded default: who holds it, and which log belongs to it.
//!
//! One process writes it. It holds `LOCK` while it lives and writes its address there, so that
//! other commands find it and go over HTTP.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// A held data directory: nobody else writes it while this lives.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    lock: File,
}

/// Who holds a data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// Nobody.
    Nobody,
    /// A process that serves this URL.
    Server(String),
    /// A process that serves nothing.
    Other,
}

impl DataDir {
    /// Takes the directory, making it when it is not there.
    ///
    /// # Errors
    /// When another process holds it; the message names its address.
    pub fn hold(path: &Path) -> Result<Self> {
        fs::create_dir_all(path)
            .with_context(|| format!("cannot make the data directory `{}`", path.display()))?;
        let lock = open_lock(path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "the data directory `{}` is in use by another tokenmeter{}",
                path.display(),
                match holder(path)? {
                    Holder::Server(url) => format!(" at {url}"),
                    _ => String::new(),
                }
            ),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock `{}`", path.display()));
            }
        }
        lock.set_len(0)?;
        Ok(Self { path: path.to_owned(), lock })
    }

    /// Tells other commands where this process answers.
    ///
    /// # Errors
    /// When the lock file cannot be written.
    pub fn announce(&mut self, url: &str) -> Result<()> {
        self.lock.set_len(0)?;
        self.lock.rewind()?;
        self.lock.write_all(url.as_bytes())?;
        self.lock.flush().context("cannot write the lock file")
    }

    /// Checks that the log here is the one that belongs to this directory; a new directory takes it
    /// as its own.
    ///
    /// # Errors
    /// When the manifest names another log: its rows would be counted from the wrong offsets.
    pub fn own_log(&self, log_id: &str) -> Result<()> {
        let manifest = self.path.join(MANIFEST);
        match named_log(&self.path)? {
            Some(known) if known == log_id => Ok(()),
            Some(known) => bail!(
                "`{}` names the log `{known}`, but the log here is `{log_id}`: the log was deleted \
                 or replaced; put the old one back, or start a new data directory",
                manifest.display()
            ),
            None => {
                let text = format!("# Belongs to this data directory.\nlog_id = \"{log_id}\"\n");
                write_durably(&self.path, &manifest, &text)
            }
        }
    }
}

/// The file that names the log which belongs to a data directory.
const MANIFEST: &str = "manifest.toml";

/// The log that a data directory's manifest names; `None` where there is no manifest.
///
/// # Errors
/// When the manifest cannot be read.
pub fn named_log(data_dir: &Path) -> Result<Option<String>> {
    let manifest = data_dir.join(MANIFEST);
    let text = match fs::read_to_string(&manifest) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.with_context(|| format!("cannot read `{}`", manifest.display()))?,
    };
    let table: toml::Table =
        text.parse().with_context(|| format!("cannot read `{}`", manifest.display()))?;
    let named = table.get("log_id").and_then(toml::Value::as_str).unwrap_or_default();
    Ok(Some(named.to_owned()))
}

fn write_durably(dir: &Path, path: &Path, text: &str) -> Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    File::open(dir)?.sync_all().context("cannot make the manifest durable")
}

fn open_lock(path: &Path) -> Result<File> {
    let lock = path.join("LOCK");
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&lock);
    opened.with_context(|| format!("cannot open `{}`", lock.display()))
}

/// Who holds the directory now.
///
/// # Errors
/// When its lock file cannot be read.
pub fn holder(path: &Path) -> Result<Holder> {
    if !path.join("LOCK").exists() {
        return Ok(Holder::Nobody);
    }
    let mut lock = open_lock(path)?;
    if lock.try_lock_shared().is_ok() {
        return Ok(Holder::Nobody);
    }
    let mut url = String::new();
    lock.read_to_string(&mut url)?;
    Ok(if url.is_empty() { Holder::Other } else { Holder::Server(url) })
}
