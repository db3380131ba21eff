//! `anomalies`: what was out of the ordinary, with its explanation.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::json;

use super::ask::Place;
use super::costs;
use crate::cli::say::say;
use crate::time::Timestamp;

/// The latest revision of each incident whose window ends after `$1`.
pub const LATEST: &str = include_str!("../../sql/anomalies.sql");

/// What `anomalies` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Since when: a span back from now such as `7d`, or an RFC 3339 time.
    #[arg(long)]
    since: Option<String>,
    /// A server to ask, instead of the configured data directory.
    #[arg(long)]
    url: Option<String>,
}

/// Prints incidents, newest first.
///
/// # Errors
/// Why it was not answered.
pub async fn run(args: Args, config: Option<&Path>) -> Result<ExitCode> {
    let since = costs::instant(args.since.as_deref()).context("`--since`")?;
    let since = since.unwrap_or(Timestamp::EPOCH).to_string();
    let place = Place::find(args.url, config).await?;
    let rows = place.rows(LATEST, &[json!(since)]).await?;
    if rows.rows.is_empty() {
        say!("nothing out of the ordinary");
    }
    for row in 0..rows.rows.len() {
        let cell = |column: &str| rows.text(row, column).unwrap_or_default();
        say!(
            "{}  {}  {}\n  {}",
            cell("window_start"),
            cell("state"),
            cell("anomaly_id"),
            cell("explanation")
        );
    }
    Ok(ExitCode::SUCCESS)
}
