//! The one place that names Kafka to others.

use std::path::Path;
use std::sync::Arc;

use super::anomaly_log::AnomalyLog;
use super::config::{SourceConfig, SourceKind};
use super::spool::Spool;
use super::{EventLog, Publisher, Source, SourceError};

/// A source, the log that front doors write, and the topic that anomalies go to.
#[derive(Debug)]
pub struct Opened {
    /// Where events are read.
    pub source: Box<dyn Source>,
    /// Where front doors append.
    pub log: Arc<dyn EventLog>,
    /// Where anomalies are published: a topic, or a file beside the embedded log.
    pub publisher: Arc<dyn Publisher>,
    /// The embedded log's id, which the data directory's manifest names.
    pub log_id: Option<String>,
}

/// Opens what the configuration names; the embedded log's file is in `data_dir` unless it says
/// otherwise.
///
/// # Errors
/// [`SourceError`].
pub async fn open(config: &SourceConfig, data_dir: &Path) -> Result<Opened, SourceError> {
    match config.kind {
        SourceKind::Spool => {
            let spool = config.spool.clone();
            let path = spool.path(data_dir);
            let spool = tokio::task::spawn_blocking(move || Spool::open(&path, &spool)).await;
            let spool = spool.map_err(|error| SourceError::Fatal(error.to_string()))??;
            Ok(Opened {
                source: Box::new(spool.source),
                log: spool.log,
                publisher: Arc::new(AnomalyLog::new(&data_dir.join("anomalies.ndjson"))),
                log_id: Some(spool.id),
            })
        }
        SourceKind::Kafka => open_kafka(config).await,
    }
}

#[cfg(feature = "kafka")]
async fn open_kafka(config: &SourceConfig) -> Result<Opened, SourceError> {
    let kafka = config.kafka.clone();
    let opened = tokio::task::spawn_blocking(move || super::kafka::open(&kafka)).await;
    let (source, log, publisher) =
        opened.map_err(|error| SourceError::Fatal(error.to_string()))??;
    Ok(Opened {
        source: Box::new(source),
        log: Arc::new(log),
        publisher: Arc::new(publisher),
        log_id: None,
    })
}

#[cfg(not(feature = "kafka"))]
async fn open_kafka(_: &SourceConfig) -> Result<Opened, SourceError> {
    let message = "`source.kind` is `kafka`, but this tokenmeter was built without Kafka: build it \
                   with `--features kafka`";
    Err(SourceError::Fatal(message.to_owned()))
}
