//! `revise`: history under other prices or rules: tried, applied, listed, rolled back.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};

use super::costs::instant;
use super::data_dir::{self, DataDir, Holder};
use super::node;
use super::remote::Remote;
use super::table;
use crate::cli::say::say;
use crate::config::Config;
use crate::lake::Lake;
use crate::revision::{
    self, Author, Book, InForce, RevisionReport, RevisionRequest, RevisionView, SidesReport,
};
use crate::time::{Clock, SystemClock};

/// What `revise` is told.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    terms: TermsArgs,
}

#[derive(Debug, clap::Args)]
struct TermsArgs {
    /// Price books, layers over those in force; a later one wins.
    #[arg(long, value_name = "BOOK")]
    prices: Vec<PathBuf>,
    /// Also attribute again, by the rules in force.
    #[arg(long)]
    attribute: bool,
    /// Attribute again by the `[[senders]]` and `[[rules]]` of this file.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// What if another model had answered; only asked, never applied.
    #[arg(long, value_name = "MODEL=[PROVIDER/]MODEL")]
    what_if: Vec<String>,
    /// Calls since then: a span back from now such as `7d`, or an RFC 3339 time.
    #[arg(long)]
    since: Option<String>,
    /// Calls until then: as `--since`.
    #[arg(long)]
    until: Option<String>,
    /// Calls of this tenant.
    #[arg(long)]
    tenant: Option<String>,
    /// Change the rows; without it nothing is stored.
    #[arg(long, requires = "reason")]
    apply: bool,
    /// Why; every changed row carries it.
    #[arg(long)]
    reason: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// A server, instead of the configured data directory.
    #[arg(long)]
    url: Option<String>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show the revisions that were applied.
    List {
        /// A server, instead of the configured data directory.
        #[arg(long)]
        url: Option<String>,
    },
    /// Take a revision back, by one more.
    Rollback {
        /// Its id, as `list` shows it.
        revision_id: String,
        /// Why; every changed row carries it.
        #[arg(long)]
        reason: String,
        /// A server, instead of the configured data directory.
        #[arg(long)]
        url: Option<String>,
    },
}

/// Tries, applies, lists or rolls back.
///
/// # Errors
/// What is wrong with books, rules or times, or that the lake cannot be reached.
pub async fn run(args: Args, config: Option<&Path>) -> Result<ExitCode> {
    let config = node::configure(config)?;
    match args.command {
        None => revise(&config, &args.terms).await?,
        Some(Command::List { url }) => list(&config, url).await?,
        Some(Command::Rollback { revision_id, reason, url }) => {
            rollback(&config, url, &revision_id, &reason).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Where revisions are made.
enum Place {
    Server(Remote),
    /// The lake, and the data directory that is held meanwhile.
    Lake(Lake, Option<DataDir>),
}

impl Place {
    async fn find(config: &Config, url: Option<String>) -> Result<Self> {
        let holder = match url {
            Some(url) => Holder::Server(url),
            None => data_dir::holder(&config.data_dir)?,
        };
        if let Holder::Server(url) = holder {
            return Ok(Self::Server(Remote::new(&url)));
        }
        let is_local = !config.lake.url.contains("://");
        if is_local && !Path::new(&config.lake.url).exists() {
            bail!("there is no lake at `{}`; or name a server by `--url`", config.lake.url);
        }
        let held = is_local.then(|| DataDir::hold(&config.data_dir)).transpose()?;
        Ok(Self::Lake(Lake::open(&config.lake, Arc::new(SystemClock)).await?, held))
    }
}

async fn revise(config: &Config, args: &TermsArgs) -> Result<()> {
    let request = args.request()?;
    let report = match Place::find(config, args.url.clone()).await? {
        Place::Server(remote) => {
            let answer = remote.post("/v1/revisions", &serde_json::to_value(&request)?).await?;
            serde_json::from_slice(&answer)?
        }
        Place::Lake(lake, _held) => in_the_lake(&lake, config, &request).await?,
    };
    if args.json {
        say!("{}", serde_json::to_string(&report)?);
    } else {
        show(&report);
    }
    Ok(())
}

async fn in_the_lake(
    lake: &Lake,
    config: &Config,
    request: &RevisionRequest,
) -> Result<RevisionReport> {
    let in_force = InForce { prices: config.prices.clone(), rules: config.attribution.clone() };
    let (scope, terms) = (request.scope()?, request.terms(&in_force)?);
    if !request.apply {
        let difference = revision::dry_run(lake, &scope, &terms).await?;
        return Ok(RevisionReport::new(&terms, &difference, None));
    }
    let author = author(&request.reason);
    let (applied, difference) = revision::apply(lake, &scope, &terms, &author).await?;
    Ok(RevisionReport::new(&terms, &difference, Some(applied)))
}

fn author(reason: &str) -> Author {
    let by = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    let by = by.filter(|by| !by.is_empty()).unwrap_or_else(|| "local".to_owned());
    Author { by, reason: reason.to_owned(), at: SystemClock.now() }
}

impl TermsArgs {
    fn request(&self) -> Result<RevisionRequest> {
        let text = |path: &PathBuf| {
            let text = std::fs::read_to_string(path);
            text.with_context(|| format!("cannot read `{}`", path.display()))
        };
        let book =
            |path: &PathBuf| Ok(Book { name: path.display().to_string(), text: text(path)? });
        let model = |pair: &String| {
            let (from, to) = pair
                .split_once('=')
                .ok_or_else(|| anyhow!("`--what-if {pair}`: expected MODEL=[PROVIDER/]MODEL"))?;
            Ok((from.to_owned(), to.to_owned()))
        };
        let at = |name: &'static str, text: &Option<String>| {
            let at = instant(text.as_deref()).context(name)?;
            Ok::<_, anyhow::Error>(at.map(|at| at.to_string()))
        };
        Ok(RevisionRequest {
            from: at("`--since`", &self.since)?,
            to: at("`--until`", &self.until)?,
            tenant: self.tenant.clone(),
            books: self.prices.iter().map(book).collect::<Result<_>>()?,
            attribute: self.attribute,
            rules: self.rules.as_ref().map(text).transpose()?,
            models: self.what_if.iter().map(model).collect::<Result<_>>()?,
            apply: self.apply,
            reason: self.reason.clone().unwrap_or_default(),
        })
    }
}

async fn list(config: &Config, url: Option<String>) -> Result<()> {
    let views: Vec<RevisionView> = match Place::find(config, url).await? {
        Place::Server(remote) => serde_json::from_slice(&remote.get("/v1/revisions").await?)?,
        Place::Lake(lake, _held) => {
            revision::history(&lake).await?.iter().map(RevisionView::from).collect()
        }
    };
    if views.is_empty() {
        say!("no revisions");
        return Ok(());
    }
    let columns = ["revision_id", "changed_at", "changed_by", "rows", "difference", "reason"];
    let row = |view: &RevisionView| -> Vec<Value> {
        vec![
            json!(view.revision_id),
            json!(view.changed_at),
            json!(view.changed_by),
            json!(view.sides.rows_after),
            json!(view.sides.difference),
            json!(view.reason),
        ]
    };
    let rows: Vec<Vec<Value>> = views.iter().map(row).collect();
    print!("{}", table::draw(&columns.map(str::to_owned), &rows));
    Ok(())
}

async fn rollback(config: &Config, url: Option<String>, id: &str, reason: &str) -> Result<()> {
    let (ids, rows) = match Place::find(config, url).await? {
        Place::Server(remote) => {
            let path = format!("/v1/revisions/{id}/rollback");
            let answer = remote.post(&path, &json!({"reason": reason})).await?;
            let report: crate::api::RollbackReport = serde_json::from_slice(&answer)?;
            (report.revision_ids, report.rows)
        }
        Place::Lake(lake, _held) => {
            let applied = revision::rollback(&lake, id, &author(reason)).await?;
            (applied.revision_ids, applied.rows)
        }
    };
    say!("{rows} rows are as they were before `{id}`, by revision {}", ids.join(", "));
    Ok(())
}

fn show(report: &RevisionReport) {
    let columns =
        ["tenant", "model", "date", "rows", "cost_before", "cost_after", "difference", "unpriced"];
    let row = |group: &revision::GroupReport| -> Vec<Value> {
        let sides = &group.sides;
        vec![
            json!(group.tenant),
            json!(group.model),
            json!(group.date),
            json!(sides.rows_before.max(sides.rows_after)),
            json!(sides.cost_before),
            json!(sides.cost_after),
            json!(sides.difference),
            json!(unpriced(sides)),
        ]
    };
    let rows: Vec<Vec<Value>> = report.groups.iter().map(row).collect();
    if !rows.is_empty() {
        print!("{}", table::draw(&columns.map(str::to_owned), &rows));
        say!("");
    }
    let SidesReport { cost_before, cost_after, difference, .. } = &report.total;
    say!(
        "{} of {} rows change: {cost_before} USD becomes {cost_after} USD (difference \
         {difference}); unpriced {}",
        report.rows_changed,
        report.rows_read,
        unpriced(&report.total),
    );
    if report.rows_refused > 0 {
        say!("{} rows stay as they are: metering would refuse them now", report.rows_refused);
    }
    if !report.applied {
        say!("nothing was stored; `--apply --reason TEXT` does it");
    } else if report.revision_ids.is_empty() {
        say!("there was nothing to change");
    } else {
        say!("applied as revision {}", report.revision_ids.join(", "));
    }
}

fn unpriced(sides: &SidesReport) -> String {
    match (sides.unknown_before, sides.unknown_after) {
        (before, after) if before == after => before.to_string(),
        (before, after) => format!("{before} -> {after}"),
    }
}
