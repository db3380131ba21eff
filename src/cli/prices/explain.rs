//! `prices explain`: the rows and every factor behind a call's cost, or a model's prices.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::json;

use super::configured;
use crate::attribution::{Rules, Sender};
use crate::cli::ask::Place;
use crate::cli::say::say;
use crate::cli::{costs, meter};
use crate::pipeline::Books;
use crate::pricing::PriceBook;
use crate::revision;
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
    say!("no call has the event id `{event_id}`");
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
        say!("no provider has a model `{model}`");
        return Ok(ExitCode::from(2));
    }
    Ok(ExitCode::SUCCESS)
}

/// The stored calls that have the id, as `GET /v1/prices/explain` reads them back.
async fn explain_stored(event_id: &str, place: &Place, book: &PriceBook) -> Result<ExitCode> {
    let stored = place.batches(revision::CALL, &[json!(event_id), json!(""), json!("")]).await?;
    let mut calls = Vec::new();
    for batch in &stored {
        calls.extend(revision::explained(batch, book)?);
    }
    if calls.is_empty() {
        return unknown(event_id);
    }
    for call in calls {
        match &call.explanation {
            Ok(explanation) => print!("{}", explanation.text),
            Err(why) => say!("{} {}: {why}", call.source, call.event_id),
        }
        let cost = call.stored_cost.map(|cost| cost.to_string()).unwrap_or_default();
        say!("stored: {cost} USD, {}", call.stored_status);
        let version = call.stored_version.as_deref().unwrap_or_default();
        if version != book.version() {
            let loaded = book.version();
            say!("(priced by book {version}, explained by the one now loaded, {loaded})");
        }
        if !call.agrees() {
            say!("(the book now loaded makes something else of it: see `tokenmeter revise`)");
        }
    }
    Ok(ExitCode::SUCCESS)
}
