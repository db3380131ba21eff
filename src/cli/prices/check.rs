//! `prices check`: what a careful reader would ask about a book.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

use super::configured;
use crate::cli::say::say;
use crate::pipeline::Books;
use crate::pricing::Report;
use crate::time::{Clock, SystemClock};

/// Reads the books and shows their remarks.
///
/// # Errors
/// File, line and what was expected.
pub(super) fn run(books: &[PathBuf], config: Option<&Path>) -> Result<ExitCode> {
    let config = configured(config, books)?;
    let book = Books::open(&config.prices)?.current();
    say!("version {}, {} rows", book.version(), book.rows().count());
    if let Some(since) = book.stale_since(SystemClock.now()) {
        say!("not refreshed since {since}: prices may have changed");
    }
    show(&book.check());
    Ok(ExitCode::SUCCESS)
}

/// Remarks by kind, with examples; every key that was not understood, with its first place.
pub(super) fn show(report: &Report) {
    for remark in &report.remarks {
        say!("{}: {}", remark.kind, remark.count);
        if remark.kind == Report::UNKNOWN_KEY {
            show_keys(&remark.examples);
            continue;
        }
        for example in remark.examples.iter().take(3) {
            say!("  {example}");
        }
    }
}

fn show_keys(examples: &[String]) {
    let mut keys: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for example in examples {
        let (model, key) = example.split_once(": ").unwrap_or(("", example));
        keys.entry(key).or_insert((0, model)).0 += 1;
    }
    for (key, (count, model)) in keys {
        say!("  {key}: {count}, first in {model}");
    }
}
