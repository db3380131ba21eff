//! `dead-letters`: what was rejected, why, and again after a fix.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::ask::{Place, Rows};
use super::data_dir::{self, Holder};
use super::ingest::{self, Tally};
use super::node::{self, Node};
use super::remote::Remote;
use super::table;
use crate::api::{LETTERS, ReplayReport, ReplayRequest};
use crate::cli::say::say;
use crate::config::Config;

/// What `dead-letters` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show dead letters that were not replayed, newest first.
    List {
        #[command(flatten)]
        which: Which,
        /// Also those that were replayed.
        #[arg(long)]
        all: bool,
        /// The most shown.
        #[arg(long, default_value_t = 50)]
        limit: i64,
        /// A server to ask, instead of the configured data directory.
        #[arg(long)]
        url: Option<String>,
    },
    /// Show everything that is known of one dead letter.
    Show {
        /// Its name, as `list` shows it.
        letter: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
        /// A server to ask, instead of the configured data directory.
        #[arg(long)]
        url: Option<String>,
    },
    /// Meter dead letters again: what was wrong is mended, in the configuration or the event.
    #[command(group(clap::ArgGroup::new("chosen").required(true).multiple(true)
        .args(["letter", "reason", "tenant", "event_id", "all"])))]
    Replay {
        /// Only the one of this name, as `list` shows it.
        letter: Option<String>,
        #[command(flatten)]
        which: Which,
        /// All that can be replayed.
        #[arg(long)]
        all: bool,
        /// How old the events may be, such as `90d`, instead of what held for them.
        #[arg(long)]
        max_age: Option<String>,
        /// A file with the whole event, corrected, in place of what the letter has.
        #[arg(long, value_name = "FILE", requires = "letter")]
        event: Option<PathBuf>,
        /// Only say what would be replayed.
        #[arg(long)]
        dry_run: bool,
        /// A server, instead of the configured data directory.
        #[arg(long)]
        url: Option<String>,
    },
}

/// Which dead letters.
#[derive(Debug, clap::Args)]
struct Which {
    /// Only those of this reason, such as `invalid_usage`.
    #[arg(long)]
    reason: Option<String>,
    /// Only those whose credential asserts this tenant.
    #[arg(long)]
    tenant: Option<String>,
    /// Only those of this event id.
    #[arg(long)]
    event_id: Option<String>,
}

/// What `list` shows of a letter.
const LISTED: [&str; 9] = [
    "letter",
    "received_at",
    "reason",
    "message",
    "namespace",
    "source",
    "event_id",
    "tenant",
    "replayed_at",
];

/// Lists, shows or replays. Exit code 2: some could not be replayed.
///
/// # Errors
/// Why it was not answered.
pub async fn run(args: Args, config: Option<&Path>) -> Result<ExitCode> {
    match args.command {
        Command::List { which, all, limit, url } => {
            let place = Place::find(url, config).await?;
            list(&letters(&place, &which, "", all, limit).await?, all);
        }
        Command::Show { letter, json, url } => {
            let place = Place::find(url, config).await?;
            let none = Which { reason: None, tenant: None, event_id: None };
            let rows = letters(&place, &none, &letter, true, 10).await?;
            if rows.rows.is_empty() {
                bail!("there is no dead letter `{letter}`: `tokenmeter dead-letters list`");
            }
            (0..rows.rows.len()).try_for_each(|row| show(&rows, row, json))?;
        }
        Command::Replay { letter, which, all: _, max_age, event, dry_run, url } => {
            let event = event.map(|file| read_event(&file)).transpose()?;
            let Which { reason, tenant, event_id } = which;
            let request =
                ReplayRequest { letter, reason, tenant, event_id, max_age, event, dry_run };
            return replay(node::configure(config)?, url, &request).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn letters(
    place: &Place,
    which: &Which,
    letter: &str,
    all: bool,
    limit: i64,
) -> Result<Rows> {
    let text = |said: &Option<String>| json!(said.clone().unwrap_or_default());
    let which = [text(&which.reason), json!(letter), text(&which.tenant), text(&which.event_id)];
    place.rows(LETTERS, &[&which[..], &[json!(all), json!(limit)]].concat()).await
}

fn list(rows: &Rows, all: bool) {
    if rows.rows.is_empty() {
        say!("no dead letters");
        return;
    }
    let count = if all { LISTED.len() } else { LISTED.len() - 1 };
    let listed = LISTED.get(..count).unwrap_or_default();
    print!("{}", rows.only(listed).drawn());
}

fn show(rows: &Rows, row: usize, json: bool) -> Result<()> {
    let values = rows.rows.get(row).into_iter().flatten();
    let named = rows.columns.iter().zip(values).filter(|(_, value)| !value.is_null());
    if json {
        let object: serde_json::Map<String, Value> =
            named.map(|(name, value)| (name.clone(), value.clone())).collect();
        say!("{}", serde_json::to_string(&object)?);
        return Ok(());
    }
    for (name, value) in named.filter(|(name, _)| *name != "event") {
        say!("{name:18}{}", table::text(value));
    }
    let event = rows.text(row, "event").filter(|event| !event.is_empty());
    let event = event.and_then(|event| serde_json::from_str::<Value>(&event).ok());
    match event {
        Some(event) => say!("event\n{}", serde_json::to_string_pretty(&event)?),
        None => say!("event             nothing of it was kept"),
    }
    Ok(())
}

fn read_event(file: &Path) -> Result<Value> {
    let name = || format!("`{}`", file.display());
    let text = std::fs::read(file).with_context(name)?;
    serde_json::from_slice(&text).with_context(name)
}

async fn replay(
    mut config: Config,
    url: Option<String>,
    request: &ReplayRequest,
) -> Result<ExitCode> {
    let holder = match url {
        Some(url) => Holder::Server(url),
        None => data_dir::holder(&config.data_dir)?,
    };
    let report = match holder {
        Holder::Server(url) => {
            let report = ask(&Remote::new(&url), request).await?;
            if !request.dry_run && !report.replayed.is_empty() {
                say!("the server at {url} meters them now");
            }
            report
        }
        Holder::Other => bail!(
            "the data directory `{}` is in use by a process that takes no events",
            config.data_dir.display()
        ),
        Holder::Nobody => {
            config.api.listen = std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, 0));
            embedded(config, request).await?
        }
    };
    let verb = if request.dry_run { "would be replayed" } else { "replayed" };
    say!("{verb}: {}", report.replayed.len());
    for refused in &report.refused {
        say!("refused: {} ({}): {}", refused.letter, refused.reason, refused.why);
    }
    if report.more {
        say!("there are more: run this again once these are metered");
    }
    Ok(if report.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

async fn ask(remote: &Remote, request: &ReplayRequest) -> Result<ReplayReport> {
    let answer = remote.post("/v1/dead-letters/replay", &serde_json::to_value(request)?).await?;
    Ok(serde_json::from_slice(&answer)?)
}

/// Runs a node of our own for as long as the events take.
async fn embedded(config: Config, request: &ReplayRequest) -> Result<ReplayReport> {
    let dir = config.data_dir.clone();
    let node = Node::start(config).await?;
    let registry = node.registry.clone();
    let before = Tally::of(&registry);
    let stop = CancellationToken::new();
    let serving = tokio::spawn(node.serve(stop.clone()));
    let asked = match ingest::served_url(&dir).await {
        Ok(url) => ask(&Remote::new(&url), request).await,
        Err(error) => Err(error),
    };
    if let Ok(report) = &asked
        && !request.dry_run
    {
        let tally = ingest::drained(&registry, &before, report.replayed.len() as u64).await;
        say!("{tally}");
    }
    stop.cancel();
    serving.await??;
    asked
}
