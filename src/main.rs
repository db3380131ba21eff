//! The `tokenmeter` binary: one enum of commands, one match.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use tokenmeter::cli::{Cli, is_nobody_listening};

/// The system's keeps what many threads had once and gives little of it back.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(code) => code,
        Err(error) if is_nobody_listening(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Where standard error cannot be written either, the exit code says it.
            drop(writeln!(std::io::stderr(), "tokenmeter: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
