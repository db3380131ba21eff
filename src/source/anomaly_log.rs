//! Where anomalies go without Kafka: a file, one message a line, durable before it counts.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;

use super::{Publisher, SourceError};

/// An append-only file of messages.
#[derive(Debug)]
pub struct AnomalyLog {
    path: PathBuf,
}

impl AnomalyLog {
    /// The log in a file; the first message makes it.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }
}

#[async_trait]
impl Publisher for AnomalyLog {
    async fn publish(&self, _: &str, payload: Bytes) -> Result<(), SourceError> {
        let path = self.path.clone();
        let appended = tokio::task::spawn_blocking(move || append(&path, &payload)).await;
        let appended = appended.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        appended.map_err(|error| SourceError::Retryable {
            what: format!("appending to `{}`", self.path.display()),
            why: error.to_string(),
        })
    }
}

fn append(path: &Path, payload: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    // One write, so that readers see whole lines.
    file.write_all(&[payload, b"\n"].concat())?;
    file.sync_all()
}
