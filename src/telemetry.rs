//! Tracing and metrics start-up.
//!
//! Logs go to standard error, so that standard output is a command's answer. Metrics live in a
//! registry that is made here and handed to each room; there is no global one.

use std::io::IsTerminal;

use serde::Deserialize;
use tracing_subscriber::EnvFilter;

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Lines for a person.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What the process tells about itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// A `tracing` filter: `info`, `tokenmeter=debug`.
    pub log: String,
    /// Lines or JSON.
    pub log_format: LogFormat,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self { log: "warn,tokenmeter=info".to_owned(), log_format: LogFormat::Text }
    }
}

/// Starts tracing; a second call in one process changes nothing.
///
/// # Errors
/// When the filter cannot be read.
pub fn start_tracing(config: &TelemetryConfig) -> Result<(), String> {
    let filter = EnvFilter::try_new(&config.log)
        .map_err(|error| format!("`telemetry.log` = `{}`: {error}", config.log))?;
    let is_terminal = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(is_terminal);
    let lines = lines.with_writer(std::io::stderr);
    let started = match config.log_format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    drop(started);
    Ok(())
}
