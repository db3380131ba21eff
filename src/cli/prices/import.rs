//! `prices import`: a published price map becomes a book file.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::check::show;
use crate::pipeline::layer;
use crate::pricing::{PriceBook, import_genai_prices, import_litellm};
use crate::time::{Clock, SystemClock};

/// What `prices import` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whose map.
    format: Format,
    /// The map.
    file: PathBuf,
    /// From when prices count for which the map states no date: RFC 3339 or a date; without it,
    /// now.
    #[arg(long)]
    effective_from: Option<String>,
    /// The book to write.
    #[arg(short, long)]
    output: PathBuf,
}

/// Whose price map an import reads.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// LiteLLM's `model_prices_and_context_window.json`.
    Litellm,
    /// genai-prices' `data.py` of its PyPI package, or its JSON.
    GenaiPrices,
}

/// Imports, and shows what was left out or rounded.
///
/// # Errors
/// When the map cannot be read or the book not be written.
pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let Args { format, file, effective_from, output } = args;
    let map = std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let observed = match effective_from.as_deref() {
        Some(date) if date.len() == 10 => format!("{date}T00:00:00Z").parse()?,
        Some(instant) => instant.parse()?,
        None => SystemClock.now(),
    };
    let import = match format {
        Format::Litellm => import_litellm(&map, observed)?,
        Format::GenaiPrices => import_genai_prices(&map, observed)?,
    };
    std::fs::write(output, &import.text)
        .with_context(|| format!("cannot write `{}`", output.display()))?;
    PriceBook::load(&[layer(output)?])?;
    println!("{}: {} rows of {} models", output.display(), import.rows, import.models);
    show(&import.report);
    Ok(ExitCode::SUCCESS)
}
