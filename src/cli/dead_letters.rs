//! `dead-letters`: what was rejected, and why.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::ask::Place;
use crate::cli::say::say;

/// What `dead-letters` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show dead letters, newest first.
    List {
        /// Only this reason, such as `invalid_usage`.
        #[arg(long)]
        reason: Option<String>,
        /// The most shown.
        #[arg(long, default_value_t = 50)]
        limit: i64,
        /// A server to ask, instead of the configured data directory.
        #[arg(long)]
        url: Option<String>,
    },
}

const LIST: &str = include_str!("../../sql/dead_letters.sql");

/// Prints dead letters.
///
/// # Errors
/// Why it was not answered.
pub async fn run(args: Args, config: Option<&Path>) -> Result<ExitCode> {
    let Command::List { reason, limit, url } = args.command;
    let place = Place::find(url, config).await?;
    let reason = reason.unwrap_or_default();
    let rows = place.rows(LIST, &[json!(reason), json!(limit)]).await?;
    if rows.rows.is_empty() {
        say!("no dead letters");
    } else {
        print!("{}", rows.drawn());
    }
    Ok(ExitCode::SUCCESS)
}
