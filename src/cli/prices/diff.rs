//! `prices diff`: what one book changes in another, by key.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

use crate::pipeline::layer;
use crate::pricing::PriceBook;

/// What `prices diff` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The book before; `built-in` is the one of this program.
    old: PathBuf,
    /// The book after; `built-in` is the one of this program.
    new: PathBuf,
    /// A JSON list instead of lines.
    #[arg(long)]
    json: bool,
}

/// Compares two books, each by itself. The exit code is 0 also where they differ.
///
/// # Errors
/// File, line and what was expected.
pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let changes = book(&args.old)?.diff(&book(&args.new)?);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&changes)?)?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    for change in &changes {
        writeln!(out, "{change}")?;
    }
    let added = changes.iter().filter(|change| change.old.is_none()).count();
    let removed = changes.iter().filter(|change| change.new.is_none()).count();
    let changed = changes.len() - added - removed;
    writeln!(out, "{changed} changed, {added} added, {removed} removed")?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn book(path: &Path) -> Result<PriceBook> {
    if path == Path::new("built-in") {
        return Ok(PriceBook::builtin());
    }
    Ok(PriceBook::from_layers(&[layer(path)?])?)
}
