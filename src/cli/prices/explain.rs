//! `prices explain`: the rows and every factor behind a call's cost, or a model's prices.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::configured;
use crate::attribution::{Rules, Sender};
use crate::cli::ask::{Place, Rows};
use crate::cli::{costs, meter};
use crate::event::{CallEvent, Json};
use crate::pipeline::Books;
use crate::pricing::PriceBook;
use crate::time::{Clock, SystemClock};

/// What `prices explain` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The event id of a call.
    #[arg(long, conflicts_with = "model")]
    event: Option<String>,
    /// A file of raw events that has the call; without it, the stored one.
    #[arg(long, requires = "event")]
    file: Option<PathBuf>,
    /// A model, as price books name it.
    #[arg(long)]
    model: Option<String>,
    /// When: RFC 3339; without it, now.
    #[arg(long)]
    at: Option<String>,
    /// Price books, layers over the configured ones.
    #[arg(long)]
    prices: Vec<PathBuf>,
    /// A server to ask for the stored call.
    #[arg(long)]
    url: Option<String>,
}

/// Explains a call's cost, or a model's prices.
///
/// # Errors
/// When a book is wrong or the call cannot be read.
pub(super) async fn run(args: Args, config: Option<&Path>) -> Result<ExitCode> {
    let settings = configured(config, &args.prices)?;
    let book = Books::open(&settings.prices)?.current();
    match (&args.event, &args.file, &args.model) {
        (Some(event_id), Some(file), _) => {
            let rules = Rules::new(&settings.attribution)?;
            explain_raw(event_id, &meter::read(file)?, &book, &rules)
        }
        (Some(event_id), None, _) => {
            explain_stored(event_id, &Place::find(args.url, config).await?, &book).await
        }
        (None, _, Some(model)) => explain_model(model, args.at.as_deref(), &book),
        (None, _, None) => bail!("name a call by `--event` or a model by `--model`"),
    }
}

fn unknown(event_id: &str) -> Result<ExitCode> {
    println!("no call has the event id `{event_id}`");
    Ok(ExitCode::from(2))
}

/// The calls of a file that have the id, as `meter` reads them.
fn explain_raw(event_id: &str, body: &[u8], book: &PriceBook, rules: &Rules) -> Result<ExitCode> {
    let sender =
        Sender { namespace: "local".to_owned(), claims_allowed: true, ..Sender::default() };
    let mut found = false;
    for bytes in crate::event::split_events(body)? {
        let Ok(event) = crate::event::decode_call_event(bytes) else { continue };
        if event.event_id == event_id {
            found = true;
            let tenant = rules.attribute(&event, &sender).who.tenant;
            let usage = crate::usage::normalize(&event)?;
            print!("{}", book.explain(&event, &usage, tenant.as_deref()));
        }
    }
    if found { Ok(ExitCode::SUCCESS) } else { unknown(event_id) }
}

/// The prices of a model that count at a time, of each provider that has it.
fn explain_model(model: &str, at: Option<&str>, book: &PriceBook) -> Result<ExitCode> {
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

async fn explain_stored(event_id: &str, place: &Place, book: &PriceBook) -> Result<ExitCode> {
    let stored = place.rows(STORED, &[json!(event_id)]).await?;
    if stored.rows.is_empty() {
        return unknown(event_id);
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
