//! `prices coverage`: which of the models that were called have no price, by calls and tokens, and
//! which classes of those that have one lack a rate.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use super::configured;
use crate::attribution::{Rules, Sender};
use crate::charge;
use crate::cli::ask::Place;
use crate::cli::{meter, table};
use crate::event;
use crate::pipeline::Books;
use crate::pricing::{Coverage, Covered, Seen};

/// What `prices coverage` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Raw events to price with the books now configured; without it, the stored calls as they
    /// were priced.
    file: Option<PathBuf>,
    /// Price books, layers over the configured ones; for the events of a file.
    #[arg(long, requires = "file")]
    prices: Vec<PathBuf>,
    /// JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// A server to ask for the stored calls.
    #[arg(long)]
    url: Option<String>,
}

/// Counts and shows what has no price.
///
/// # Errors
/// When events or books cannot be read.
pub(super) async fn run(args: Args, config: Option<&Path>) -> Result<ExitCode> {
    let coverage = match &args.file {
        Some(file) => of_events(&meter::read(file)?, &args.prices, config)?,
        None => of_calls(&Place::find(args.url, config).await?).await?,
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&document(&coverage))?);
    } else {
        print!("{}", drawn(&coverage));
    }
    Ok(ExitCode::SUCCESS)
}

/// Prices the events of a file; what is rejected has no usage to be priced.
fn of_events(body: &[u8], books: &[PathBuf], config: Option<&Path>) -> Result<Coverage> {
    let config = configured(config, books)?;
    let book = Books::open(&config.prices)?.current();
    let rules = Rules::new(&config.attribution)?;
    let sender =
        Sender { namespace: "local".to_owned(), claims_allowed: true, ..Sender::default() };
    let mut coverage = Coverage::default();
    for bytes in event::split_events(body)? {
        let metered = event::decode_call_event(bytes)
            .and_then(|event| charge::meter(event, &book, &rules, &sender));
        if let Ok(charge) = metered {
            coverage.add_call(&charge.event, &charge.usage, &charge.cost);
        }
    }
    Ok(coverage)
}

const CALLS: &str = "SELECT provider, response_model, cost_status = 'unpriced' AS unpriced, flags, \
    count(*) AS calls, coalesce(sum(total_input_tokens + total_output_tokens), 0) AS tokens \
    FROM calls GROUP BY provider, response_model, cost_status, flags ORDER BY calls DESC";

async fn of_calls(place: &Place) -> Result<Coverage> {
    let rows = place.rows(CALLS, &[]).await?;
    let mut coverage = Coverage::default();
    for (number, row) in rows.rows.iter().enumerate() {
        let cell = |column: &str| rows.text(number, column).unwrap_or_default();
        let flags = row.iter().find_map(Value::as_array).cloned().unwrap_or_default();
        coverage.add(Seen {
            provider: cell("provider"),
            model: cell("response_model"),
            calls: cell("calls").parse()?,
            tokens: cell("tokens").parse()?,
            unpriced: cell("unpriced") == "true",
            flags: flags.iter().map(table::text).collect(),
        });
    }
    Ok(coverage)
}

/// A line for each model that lacks something, then all.
fn drawn(coverage: &Coverage) -> String {
    let columns = ["provider", "model", "calls", "unpriced", "tokens", "unpriced", "missing"];
    let rows: Vec<Vec<Value>> = coverage
        .models()
        .into_iter()
        .filter(|(_, _, it)| it.unpriced_calls > 0 || !it.missing.is_empty())
        .map(|(provider, model, it)| row(provider, model, it))
        .collect();
    let mut text = table::draw(&columns.map(str::to_owned), &rows);
    let total = coverage.total();
    text.push_str(&format!(
        "{} of {} calls have no price ({} %), {} of {} tokens ({} %)\n",
        total.unpriced_calls,
        total.calls,
        total.unpriced_share_of_calls(),
        total.unpriced_tokens,
        total.tokens,
        total.unpriced_share_of_tokens(),
    ));
    text
}

fn row(provider: &str, model: &str, it: &Covered) -> Vec<Value> {
    let missing = it.missing.iter().map(|(flag, calls)| format!("{flag} {calls}"));
    let missing = missing.collect::<Vec<_>>().join(", ");
    vec![
        json!(provider),
        json!(model),
        json!(it.calls),
        json!(it.unpriced_calls),
        json!(it.tokens),
        json!(it.unpriced_tokens),
        json!(missing),
    ]
}

fn document(coverage: &Coverage) -> Value {
    let total = coverage.total();
    let models: Vec<Value> = coverage
        .models()
        .into_iter()
        .map(|(provider, model, it)| json!({ "provider": provider, "model": model, "seen": it }))
        .collect();
    json!({
        "total": total,
        "unpriced_percent_of_calls": total.unpriced_share_of_calls(),
        "unpriced_percent_of_tokens": total.unpriced_share_of_tokens(),
        "models": models,
    })
}
