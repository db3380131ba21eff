//! `query-worker`: what a server starts to run its queries in; nobody types it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;

use super::node;
use crate::lake::Lake;
use crate::query;
use crate::time::SystemClock;

/// What `query-worker` is told beside the configuration.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder that queries spill to.
    #[arg(long)]
    spill: PathBuf,
}

/// Answers the server's questions until it is gone.
///
/// # Errors
/// When the lake cannot be opened, or the server cannot be understood.
pub async fn run(args: Args, config: Option<&Path>) -> Result<ExitCode> {
    let config = node::configure(config)?;
    query::be_small(&config.query)?;
    let lake = Arc::new(Lake::open(&config.lake, Arc::new(SystemClock)).await?);
    query::run_worker(lake, &config.query, &args.spill).await?;
    Ok(ExitCode::SUCCESS)
}
