//! `doctor`: looks at everything a running tokenmeter stands on, and names what is wrong.
//!
//! It takes nothing over and changes nothing: it can be asked beside a running server.

mod figures;
mod finding;
mod place;
mod tables;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;

use self::finding::{Finding, Level};
use super::data_dir::{self, Holder};
use super::node;
use crate::attribution::Rules;
use crate::cli::say::say;
use crate::config::Config;
use crate::pipeline::Books;
use crate::time::{Clock, SystemClock};

/// What `doctor` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One JSON object for each finding.
    #[arg(long)]
    json: bool,
}

/// Examines, and prints what was found; fails when anything is wrong.
///
/// # Errors
/// Never for what it examines: that is a finding.
pub async fn run(args: Args, config: Option<&Path>) -> Result<ExitCode> {
    let findings = examine(config).await;
    for finding in &findings {
        match args.json {
            true => say!("{}", finding.to_json()),
            false => say!("{finding}"),
        }
    }
    let wrong = findings.iter().filter(|finding| finding.level == Level::Wrong).count();
    if !args.json {
        let noted = findings.len() - wrong;
        match findings.is_empty() {
            true => say!("everything that was looked at is right"),
            false => say!("{wrong} wrong, {noted} worth a look"),
        }
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn examine(file: Option<&Path>) -> Vec<Finding> {
    let config = match node::configure(file) {
        Ok(config) => config,
        Err(error) => {
            let remedy = "correct the configuration; nothing else was looked at";
            return vec![Finding::wrong("configuration", format!("{error:#}"), remedy)];
        }
    };
    let mut findings = terms(&config);
    findings.extend(place::directory(&config.data_dir));
    findings.extend(server(&config.data_dir).await);
    findings.extend(place::manifest(&config));
    let (tables, damaged) = tables::open(&config).await;
    findings.extend(damaged);
    findings.extend(tables::offsets(&config, &tables).await);
    if findings.iter().all(|finding| finding.level != Level::Wrong) && tables.are_all_there() {
        findings.extend(figures::look(file).await);
    }
    findings
}

/// Rules and prices.
fn terms(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Err(error) = Rules::new(&config.attribution) {
        findings.push(Finding::wrong("attribution", error, "correct the rule"));
    }
    match Books::open(&config.prices) {
        Err(error) => findings.push(Finding::wrong(
            "prices",
            error,
            "correct the book: a running server keeps the old one, a restart would fail",
        )),
        Ok(books) => {
            if let Some(since) = books.current().stale_since(SystemClock.now()) {
                let what = format!("the newest price was read at {since}");
                findings.push(Finding::note("prices", what, "import a newer price map"));
            }
        }
    }
    findings
}

/// The process that holds the data directory.
async fn server(data_dir: &Path) -> Option<Finding> {
    let Ok(Holder::Server(url)) = data_dir::holder(data_dir) else { return None };
    let why = match reqwest::get(format!("{url}/readyz")).await {
        Ok(answer) if answer.status().is_success() => return None,
        Ok(answer) => answer.text().await.unwrap_or_default(),
        Err(error) => error.to_string(),
    };
    let what = format!("the server at {url} is not ready: {why}");
    Some(Finding::wrong("server", what, "read its log; a restart loses nothing"))
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}
