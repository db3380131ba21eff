//! `prices`: check, compare, explain and import price books, and say what they do not cover.

mod check;
mod coverage;
mod diff;
mod explain;
mod import;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

use super::node;
use crate::config::Config;

/// What `prices` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Read a book as a layer over the built-in one, and say what is remarkable.
    Check {
        /// Book files; without one, the configured books.
        books: Vec<PathBuf>,
    },
    /// Say what one book changes in another, by key.
    Diff(diff::Args),
    /// Say which of the models that were called have no price, and which of their classes no rate.
    Coverage(coverage::Args),
    /// Say how the cost of a call came about, or which rows price a model.
    Explain(explain::Args),
    /// Make a book of a published price map.
    Import(import::Args),
}

/// Checks, compares, explains or imports.
///
/// # Errors
/// File, line and what was expected.
pub async fn run(args: Args, config: Option<&Path>) -> Result<ExitCode> {
    match args.command {
        Command::Check { books } => check::run(&books, config),
        Command::Diff(args) => diff::run(&args),
        Command::Coverage(args) => coverage::run(args, config).await,
        Command::Explain(args) => explain::run(args, config).await,
        Command::Import(args) => import::run(&args),
    }
}

/// The configuration with further books over the configured ones.
fn configured(config: Option<&Path>, books: &[PathBuf]) -> Result<Config> {
    let mut config = node::configure(config)?;
    config.prices.books.extend_from_slice(books);
    Ok(config)
}
