//! `demo`: the main job on generated traffic, on the embedded default.

mod traffic;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::ask::Place;
use super::ingest::{self, Tally};
use super::node::{self, Node};
use super::remote::Remote;
use crate::cli::say::say;
use crate::config::Config;
use crate::postgres::Listen;
use crate::query::Question;
use crate::time::{Clock, SystemClock, Timestamp};

/// Marks a directory as the demo's own, which it may delete.
const MARK: &str = "DEMO";

/// What `demo` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// End instead of serving the API.
    #[arg(long)]
    exit: bool,
    /// Where the demo's data goes; what an earlier demo left there is deleted.
    #[arg(long, default_value = "tokenmeter-demo")]
    dir: PathBuf,
    /// Where the API answers.
    #[arg(long, default_value = "127.0.0.1:7070")]
    listen: SocketAddr,
}

/// Runs the demo.
///
/// # Errors
/// When the directory is not the demo's, or something does not work.
pub async fn run(args: Args) -> Result<ExitCode> {
    let stop = node::stop_signal()?;
    clear(&args.dir)?;
    let config = configured(&args)?;
    let now = SystemClock.now();
    let events = traffic::events(now);
    std::fs::write(args.dir.join("events.ndjson"), events.join("\n") + "\n")?;
    say!(
        "generated {} calls of four made-up tenants over three days (`{}`)",
        events.len(),
        args.dir.join("events.ndjson").display()
    );
    let mut node = Node::start(config).await?;
    let mut alerts = node.alerts.take().context("the node looks for anomalies")?;
    let registry = node.registry.clone();
    let ended = CancellationToken::new();
    let serving = tokio::spawn(node.serve(ended.clone()));
    let url = ingest::served_url(&args.dir).await?;
    let lines: Vec<&[u8]> = events.iter().map(String::as_bytes).collect();
    let remote = Remote::new(&url);
    remote.send(&lines, "35d", |_| {}).await?;
    let tally = ingest::drained(&registry, &Tally::default(), lines.len() as u64).await;
    say!("{tally}\n");
    alerts.judge(now.hour_start()).await?;
    alerts.round().await?;
    show(&Place::Server(remote)).await?;
    let dir = args.dir.display();
    say!("\nthe tables are Delta: any engine opens `{dir}/lake/calls`");
    say!("ask on:  TOKENMETER_DATA_DIR={dir} tokenmeter query cost_by_team_and_model");
    if !args.exit {
        say!("serving {url} until Ctrl-C");
        stop.cancelled().await;
    }
    ended.cancel();
    serving.await??;
    Ok(ExitCode::SUCCESS)
}

/// A directory of our own, empty.
fn clear(dir: &Path) -> Result<()> {
    if dir.exists() {
        if !dir.join(MARK).exists() && std::fs::read_dir(dir)?.next().is_some() {
            bail!(
                "`{}` was not made by the demo: name another directory by `--dir`",
                dir.display()
            );
        }
        std::fs::remove_dir_all(dir)?;
    }
    std::fs::create_dir_all(dir)?;
    std::fs::write(dir.join(MARK), "Made by `tokenmeter demo`; the next one deletes it.\n")?;
    Ok(())
}

fn configured(args: &Args) -> Result<Config> {
    let mut config = Config { data_dir: args.dir.clone(), ..Config::default() };
    config.lake.url = args.dir.join("lake").display().to_string();
    config.api.listen =
        if args.exit { SocketAddr::from((Ipv4Addr::LOCALHOST, 0)) } else { args.listen };
    config.postgres.listen = Listen::Off;
    config.telemetry.log = "error".to_owned();
    crate::telemetry::start_tracing(&config.telemetry).map_err(anyhow::Error::msg)?;
    Ok(config)
}

async fn show(place: &Place) -> Result<()> {
    for (title, name) in [("cost by tenant", "cost_by_tenant"), ("cost by model", "cost_by_model")]
    {
        let question = Question::named(name).context("a question of `sql/`")?;
        say!("{title}\n{}", place.rows(question.sql, &[]).await?.drawn());
    }
    let total = "SELECT sum(cost_usd) AS total_usd, count(cost_usd) AS priced_calls, \
                 count(*) AS calls FROM calls";
    say!("total\n{}", place.rows(total, &[]).await?.drawn());
    let epoch = json!(Timestamp::EPOCH.to_string());
    let anomalies = place.rows(super::anomalies::LATEST, &[epoch]).await?;
    match anomalies.text(0, "explanation") {
        Some(explanation) => say!("anomaly\n{explanation}"),
        None => say!("anomaly\nnone: this is a fault of the demo"),
    }
    Ok(())
}
