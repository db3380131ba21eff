//! `check-config`: reads everything that a start would read, and says whether it is right.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use super::node;
use crate::attribution::Rules;
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
    println!("configuration: right");
    println!("lake: {}", config.lake.url);
    println!("price book: version {}, {} rows", book.version(), book.rows().count());
    Ok(ExitCode::SUCCESS)
}
