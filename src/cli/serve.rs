//! `serve`: front doors, sources, pipeline, queries, alerts.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use super::node::{self, Node};

/// What `serve` is told beside the configuration.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Serves until it is told to stop.
///
/// # Errors
/// What must not be started with, or why it stopped.
pub async fn run(_: Args, file: Option<&Path>) -> Result<ExitCode> {
    let config = node::configure(file)?;
    let stop = node::stop_signal()?;
    let mut node = Node::start(config).await?;
    node.query_in_workers(file).await?;
    node.watch_for_anomalies();
    node.serve(stop).await?;
    Ok(ExitCode::SUCCESS)
}
