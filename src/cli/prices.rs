//! `prices`: check, explain and import price books.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::ask::{Place, Rows};
use super::{costs, node};
use crate::event::{CallEvent, Json};
use crate::pipeline::{Books, layer};
use crate::pricing::{PriceBook, Report, import_genai_prices, import_litellm};
use crate::time::{Clock, SystemClock};

/// What `prices` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Read a book as a layer over the built-in one, and say what is remarkable.
    Check {
        /// Book files; without one, the configured books.
        books: Vec<PathBuf>,
    },
    /// Say how the cost of a stored call came about, or which rows price a model.
    Explain {
        /// The event id of a stored call.
        #[arg(long, conflicts_with = "model")]
        event: Option<String>,
        /// A model, as price books name it.
        #[arg(long)]
        model: Option<String>,
        /// When: RFC 3339; without it, now.
        #[arg(long)]
        at: Option<String>,
        /// A server to ask for the stored call.
        #[arg(long)]
        url: Option<String>,
    },
    /// Make a book of a published price map.
    Import {
        /// Whose map.
        format: Format,
        /// The map.
        file: PathBuf,
        /// From when its prices count, since maps carry no dates: RFC 3339 or a date; without it,
        /// now.
        #[arg(long)]
        effective_from: Option<String>,
        /// The book to write.
        #[arg(short, long)]
        output: PathBuf,
    },
}

/// Whose price map an import reads.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// LiteLLM's `model_prices_and_context_window.json`.
    Litellm,
    /// genai-prices' `data.py` of its PyPI package, or its JSON.
    GenaiPrices,
}

/// Checks, explains or imports.
///
/// # Errors
/// File, line and what was expected.
pub async fn run(args: Args, config: Option<&Path>) -> Result<ExitCode> {
    match args.command {
        Command::Check { books } => check(&books, config),
        Command::Explain { event: Some(event), url, .. } => {
            explain_event(&event, url, config).await
        }
        Command::Explain { model: Some(model), at, .. } => {
            explain_model(&model, at.as_deref(), config)
        }
        Command::Explain { .. } => bail!("name a call by `--event` or a model by `--model`"),
        Command::Import { format, file, effective_from, output } => {
            import(format, &file, effective_from.as_deref(), &output)
        }
    }
}

fn check(books: &[PathBuf], config: Option<&Path>) -> Result<ExitCode> {
    let mut config = node::configure(config)?;
    config.prices.books.extend_from_slice(books);
    let book = Books::open(&config.prices)?.current();
    println!("version {}, {} rows", book.version(), book.rows().count());
    if let Some(since) = book.stale_since(SystemClock.now()) {
        println!("not refreshed since {since}: prices may have changed");
    }
    show(&book.check());
    Ok(ExitCode::SUCCESS)
}

fn show(report: &Report) {
    for remark in &report.remarks {
        println!("{}: {}", remark.kind, remark.count);
        for example in remark.examples.iter().take(3) {
            println!("  {example}");
        }
    }
}

fn import(
    format: Format,
    file: &Path,
    effective_from: Option<&str>,
    output: &Path,
) -> Result<ExitCode> {
    let map = std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let observed = match effective_from {
        Some(date) if date.len() == 10 => format!("{date}T00:00:00Z").parse()?,
        Some(instant) => instant.parse()?,
        None => SystemClock.now(),
    };
    let import = match format {
        Format::Litellm => import_litellm(&map, observed)?,
        Format::GenaiPrices => import_genai_prices(&map, observed)?,
    };
    std::fs::write(output, &import.text)
        .with_context(|| format!("cannot write `{}`", output.display()))?;
    PriceBook::load(&[layer(output)?])?;
    println!("{}: {} rows of {} models", output.display(), import.rows, import.models);
    show(&import.report);
    Ok(ExitCode::SUCCESS)
}

/// The prices of a model that count at a time, of each provider that has it.
fn explain_model(model: &str, at: Option<&str>, config: Option<&Path>) -> Result<ExitCode> {
    let config = node::configure(config)?;
    let book = Books::open(&config.prices)?.current();
    let at = costs::instant(at)?.unwrap_or_else(|| SystemClock.now());
    let providers = book.providers_of(model);
    for provider in &providers {
        print!("{}", book.explain_model(provider, model, at));
    }
    if providers.is_empty() {
        println!("no provider has a model `{model}`");
        return Ok(ExitCode::from(2));
    }
    Ok(ExitCode::SUCCESS)
}

/// What pricing needs of a stored call.
const STORED: &str = "SELECT event_id, source, occurred_at, provider, api, usage_dialect, \
    response_model, request_model, service_tier, region, deployment, context, raw_usage, status, \
    gateway_cache_hit, tenant, cost_usd, cost_status, price_book_version \
    FROM calls WHERE event_id = $1 ORDER BY source LIMIT 10";

async fn explain_event(
    event_id: &str,
    url: Option<String>,
    config: Option<&Path>,
) -> Result<ExitCode> {
    let settings = node::configure(config)?;
    let book = Books::open(&settings.prices)?.current();
    let stored = Place::find(url, config).await?.rows(STORED, &[json!(event_id)]).await?;
    if stored.rows.is_empty() {
        println!("no call has the event id `{event_id}`");
        return Ok(ExitCode::from(2));
    }
    for row in 0..stored.rows.len() {
        let event = event_of(&stored, row).context("reading the stored call back")?;
        let usage = crate::usage::normalize(&event)?;
        let tenant = stored.text(row, "tenant");
        print!("{}", book.explain(&event, &usage, tenant.as_deref()));
        let cell = |column: &str| stored.text(row, column).unwrap_or_default();
        println!("stored: {} USD, {}", cell("cost_usd"), cell("cost_status"));
        if cell("price_book_version") != book.version() {
            println!(
                "(priced by book {}, explained by the one now loaded)",
                cell("price_book_version")
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn event_of(stored: &Rows, row: usize) -> Result<CallEvent> {
    let cell = |column: &str| stored.text(row, column).filter(|text| !text.is_empty());
    let required = |column: &str| cell(column).with_context(|| format!("`{column}` is NULL"));
    let json = |column: &str| cell(column).map(|text| Json::parse(text.as_bytes())).transpose();
    let mut event = CallEvent::new(
        &required("event_id")?,
        &required("source")?,
        required("occurred_at")?.parse()?,
        &required("provider")?,
        &required("response_model")?,
    );
    event.api = cell("api");
    event.usage_dialect = cell("usage_dialect");
    event.request_model = cell("request_model");
    event.service_tier = cell("service_tier");
    event.region = cell("region");
    event.deployment = cell("deployment");
    event.context = json("context")?;
    event.usage = json("raw_usage")?;
    event.gateway_cache_hit = cell("gateway_cache_hit").map(|hit| hit == "true");
    let status = cell("status").and_then(|name| crate::event::CallStatus::from_name(&name));
    event.status = status.unwrap_or_default();
    Ok(event)
}
