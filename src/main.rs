//! The `tokenmeter` binary: one enum of commands, one match.

use std::process::ExitCode;

use clap::Parser;
use tokenmeter::cli::Cli;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tokenmeter: {error:#}");
            ExitCode::FAILURE
        }
    }
}
