//! The `tokenmeter` binary: one enum of commands, one match.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use tokenmeter::cli::{Cli, is_nobody_listening};

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
