//! The commands: one enum, one match, a file per command.

mod anomalies;
mod ask;
mod check_config;
mod costs;
mod data_dir;
mod dead_letters;
mod demo;
mod doctor;
mod ingest;
mod keys;
mod meter;
mod node;
mod prices;
mod query;
mod query_worker;
mod remote;
mod revise;
mod say;
mod serve;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use say::is_nobody_listening;

/// Meters what companies spend on LLM APIs.
#[derive(Debug, Parser)]
#[command(name = "tokenmeter", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// The configuration file; without one the embedded default.
    #[arg(long, global = true, env = "TOKENMETER_CONFIG")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Meter generated traffic, show what it cost and one anomaly, then serve the API.
    Demo(demo::Args),
    /// Take events in, commit them, answer queries.
    Serve(serve::Args),
    /// Meter the events of a file into the tables.
    Ingest(ingest::Args),
    /// Meter the events of a file and print one JSON line each; nothing is stored.
    Meter(meter::Args),
    /// Ask in SQL.
    Query(query::Args),
    #[command(hide = true)]
    QueryWorker(query_worker::Args),
    /// Ask what was spent, by any columns.
    Costs(costs::Args),
    /// Show what was out of the ordinary.
    Anomalies(anomalies::Args),
    /// Meter history again under other prices or rules: what would change, and change it.
    Revise(Box<revise::Args>),
    /// Check, explain and import price books.
    Prices(prices::Args),
    /// Show what was rejected, and why, and replay it after a fix.
    DeadLetters(dead_letters::Args),
    /// Create, list and revoke API keys.
    Keys(keys::Args),
    /// Read the configuration and the price books, and say whether they are right.
    CheckConfig,
    /// Look at configuration, disk, log, tables, offsets and figures, and name what is wrong.
    Doctor(doctor::Args),
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// What went wrong, for a person; the exit code is 1 then.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let config = self.config.as_deref();
        let code = match self.command {
            Command::Demo(args) => runtime.block_on(demo::run(args)),
            Command::Serve(args) => runtime.block_on(serve::run(args, config)),
            Command::Ingest(args) => runtime.block_on(ingest::run(args, config)),
            Command::Meter(args) => meter::run(args, config),
            Command::Query(args) => runtime.block_on(query::run(args, config)),
            Command::QueryWorker(args) => runtime.block_on(query_worker::run(args, config)),
            Command::Costs(args) => runtime.block_on(costs::run(args, config)),
            Command::Anomalies(args) => runtime.block_on(anomalies::run(args, config)),
            Command::Revise(args) => runtime.block_on(revise::run(*args, config)),
            Command::Prices(args) => runtime.block_on(prices::run(args, config)),
            Command::DeadLetters(args) => runtime.block_on(dead_letters::run(args, config)),
            Command::Keys(args) => runtime.block_on(keys::run(args, config)),
            Command::CheckConfig => check_config::run(config),
            Command::Doctor(args) => runtime.block_on(doctor::run(args, config)),
        };
        runtime.shutdown_timeout(std::time::Duration::from_secs(2));
        code
    }
}
