//! `check-config`: reads everything that a start would read, and says whether it is right.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use super::node;
use crate::attribution::Rules;
use crate::cli::say::say;
use crate::pipeline::Books;

/// Checks configuration, rules and price books.
///
/// # Errors
/// The first thing that is wrong: file, line and what was expected.
pub fn run(config: Option<&Path>) -> Result<ExitCode> {
    let config = node::configure(config)?;
    Rules::new(&config.attribution)?;
    let books = Books::open(&config.prices)?;
    let book = books.current();
    say!("configuration: right");
    say!("lake: {}", config.lake.url);
    say!("price book: version {}, {} rows", book.version(), book.rows().count());
    Ok(ExitCode::SUCCESS)
}
