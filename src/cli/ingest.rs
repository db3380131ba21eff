//! `ingest`: the events of a file, by the same path as everything else.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use prometheus::Registry;
use tokio_util::sync::CancellationToken;

use super::data_dir::{self, Holder};
use super::meter;
use super::node::{self, Node};
use super::remote::{Remote, Sent};
use crate::cli::say::say;
use crate::config::Config;
use crate::postgres::Listen;
use crate::setting::Span;

/// The age that a file's events may have where nobody says otherwise: loading last year is normal.
const ANY_AGE: &str = "36500d";

/// What `ingest` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// NDJSON or a JSON list of raw call events; `-` reads standard input.
    file: PathBuf,
    /// How old an event may be, such as `35d`; without it, any age.
    #[arg(long)]
    max_age: Option<String>,
    /// A server to send to, instead of the configured data directory.
    #[arg(long)]
    url: Option<String>,
}

/// Sends a file's events and says what became of them. Exit code 2: some were rejected.
///
/// # Errors
/// When the file cannot be read or split, or the events cannot be made durable.
pub async fn run(args: Args, config: Option<&Path>) -> Result<ExitCode> {
    let mut config = node::configure(config)?;
    let body = meter::read(&args.file)?;
    let events =
        crate::event::split_events(&body).with_context(|| format!("`{}`", args.file.display()))?;
    let max_age = args.max_age.unwrap_or_else(|| ANY_AGE.to_owned());
    max_age.parse::<Span>().map_err(anyhow::Error::msg).context("`--max-age`")?;
    let holder = match args.url {
        Some(url) => Holder::Server(url),
        None => data_dir::holder(&config.data_dir)?,
    };
    let rejected = match holder {
        Holder::Server(url) => {
            let sent = send(&Remote::new(&url), &events, &max_age).await?;
            say!("sent {} events to {url}: it meters them now", sent.accepted);
            sent.rejected.len()
        }
        Holder::Other => bail!(
            "the data directory `{}` is in use by a process that takes no events",
            config.data_dir.display()
        ),
        Holder::Nobody => {
            config.api.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            config.postgres.listen = Listen::Off;
            embedded(config, &events, &max_age).await?
        }
    };
    Ok(if rejected == 0 { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// Runs a node of our own for as long as the file takes.
async fn embedded(config: Config, events: &[&[u8]], max_age: &str) -> Result<usize> {
    let dir = config.data_dir.clone();
    let node = Node::start(config).await?;
    let registry = node.registry.clone();
    let before = Tally::of(&registry);
    let stop = CancellationToken::new();
    let serving = tokio::spawn(node.serve(stop.clone()));
    let url = served_url(&dir).await?;
    let sent = send(&Remote::new(&url), events, max_age).await?;
    let tally = drained(&registry, &before, events.len() as u64).await;
    stop.cancel();
    serving.await??;
    say!("{tally}");
    Ok(sent.rejected.len())
}

/// The address of the server that holds the directory, once it has one.
///
/// # Errors
/// When it does not answer within a few seconds.
pub async fn served_url(dir: &Path) -> Result<String> {
    for _ in 0..200 {
        if let Holder::Server(url) = data_dir::holder(dir)? {
            return Ok(url);
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    bail!("the server did not start within 5 s")
}

async fn send(remote: &Remote, events: &[&[u8]], max_age: &str) -> Result<Sent> {
    let bar = ProgressBar::new(events.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} events {per_sec}") {
        bar.set_style(style);
    }
    let sent = remote.send(events, max_age, |count| bar.inc(count as u64)).await?;
    bar.finish_and_clear();
    for (index, code, message) in sent.rejected.iter().take(10) {
        eprintln!("event {index}: {code}: {message}");
    }
    if sent.rejected.len() > 10 {
        eprintln!("... and {} more: `tokenmeter dead-letters list`", sent.rejected.len() - 10);
    }
    Ok(sent)
}

/// Waits until every event sent is a row or a dead letter.
pub async fn drained(registry: &Registry, before: &Tally, events: u64) -> Tally {
    loop {
        let tally = Tally::of(registry).since(before);
        if tally.total() >= events {
            return tally;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What became of events, by status and reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    rows: BTreeMap<String, u64>,
    dead: BTreeMap<String, u64>,
}

impl Tally {
    /// What the metrics say now.
    pub fn of(registry: &Registry) -> Self {
        let mut tally = Self::default();
        for family in registry.gather() {
            let counts = match family.name() {
                "tokenmeter_rows_total" => &mut tally.rows,
                "tokenmeter_dead_letters_total" => &mut tally.dead,
                _ => continue,
            };
            for metric in family.get_metric() {
                let label = metric.get_label().first().map(|label| label.value().to_owned());
                // Counters of whole numbers far below 2^53.
                let count = format!("{:.0}", metric.get_counter().get_value()).parse().unwrap_or(0);
                counts.insert(label.unwrap_or_default(), count);
            }
        }
        tally
    }

    fn since(&self, before: &Self) -> Self {
        let minus = |now: &BTreeMap<String, u64>, then: &BTreeMap<String, u64>| {
            let left = now.iter().map(|(key, count)| {
                (key.clone(), count.saturating_sub(then.get(key).copied().unwrap_or_default()))
            });
            left.filter(|(_, count)| *count > 0).collect()
        };
        Self { rows: minus(&self.rows, &before.rows), dead: minus(&self.dead, &before.dead) }
    }

    fn total(&self) -> u64 {
        self.rows.values().chain(self.dead.values()).sum()
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |counts: &BTreeMap<String, u64>| {
            let parts: Vec<String> =
                counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
            if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
        };
        writeln!(f, "events: {}", self.total())?;
        writeln!(f, "rows: {}", list(&self.rows))?;
        write!(f, "dead letters: {}", list(&self.dead))
    }
}
