//! `meter`: a dry run. One JSON line per event, in input order; nothing is stored.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde::Serialize;

use super::node;
use crate::attribution::{Rules, Sender};
use crate::charge::{self, Charge};
use crate::event::{self, Rejection};
use crate::pipeline::Books;

/// What `meter` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// NDJSON or a JSON list of raw call events; `-` reads standard input.
    file: PathBuf,
    /// Price books, layers over the built-in one; a later one wins.
    #[arg(long)]
    prices: Vec<PathBuf>,
}

/// One line of output.
#[derive(Debug, Serialize)]
struct Line {
    event_id: Option<String>,
    source: Option<String>,
    usage_status: &'static str,
    cost_status: Option<&'static str>,
    tokens: BTreeMap<&'static str, u64>,
    units: BTreeMap<String, String>,
    cost_usd: Option<String>,
    computed_cost_usd: Option<String>,
    reported_cost_usd: Option<String>,
    provider: Option<String>,
    priced_model: Option<String>,
    resolution: Option<String>,
    price_book_version: Option<String>,
    flags: Vec<String>,
    rejection: Option<RejectionLine>,
}

#[derive(Debug, Serialize)]
struct RejectionLine {
    code: &'static str,
    message: String,
    index: usize,
}

/// Meters a file.
///
/// # Errors
/// When the file cannot be read or split into events, or a book is wrong.
pub fn run(args: Args, config: Option<&Path>) -> Result<ExitCode> {
    let mut config = node::configure(config)?;
    config.prices.books.extend(args.prices);
    let book = Books::open(&config.prices)?.current();
    let rules = Rules::new(&config.attribution)?;
    let body = read(&args.file)?;
    let sender =
        Sender { namespace: "local".to_owned(), claims_allowed: true, ..Sender::default() };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for (index, bytes) in event::split_events(&body)?.into_iter().enumerate() {
        let source = event::Json::parse(bytes).ok();
        let source = source.and_then(|json| Some(json.field("source")?.as_text()?.to_owned()));
        let metered = event::decode_call_event(bytes)
            .and_then(|event| charge::meter(event, &book, &rules, &sender));
        let line = match metered {
            Ok(charge) => Line::of(&charge),
            Err(rejection) => Line::rejected(index, source, rejection),
        };
        serde_json::to_writer(&mut out, &line)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The bytes of a file, or of standard input for `-`.
///
/// # Errors
/// When it cannot be read.
pub fn read(file: &Path) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut body).context("cannot read standard input")?;
    } else {
        body = std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    }
    Ok(body)
}

impl Line {
    fn of(charge: &Charge) -> Self {
        let Charge { event, usage, cost, .. } = charge;
        let tokens = usage.tokens().unwrap_or_default();
        let units = usage.units().unwrap_or_default().into_iter();
        let reported = usage.reported_cost.as_ref().map(|(amount, _)| *amount);
        let mut flags = usage.flags.clone();
        flags.extend(&cost.flags);
        Self {
            event_id: Some(event.event_id.clone()),
            source: Some(event.source.clone()),
            usage_status: usage.status.name(),
            cost_status: Some(cost.status.name()),
            tokens: tokens.present().map(|(class, count)| (class.name(), count)).collect(),
            units: units.map(|(name, quantity)| (name, quantity.to_string())).collect(),
            cost_usd: cost.cost.map(|cost| cost.to_string()),
            computed_cost_usd: cost.computed_cost.map(|cost| cost.to_string()),
            reported_cost_usd: reported.or(event.reported_cost).map(|cost| cost.to_string()),
            provider: Some(event.provider.clone()),
            priced_model: cost.priced_model.clone(),
            resolution: cost.resolution.clone(),
            price_book_version: cost.price_book_version.clone(),
            flags: flags.iter().map(str::to_owned).collect(),
            rejection: None,
        }
    }

    fn rejected(index: usize, source: Option<String>, rejection: Rejection) -> Self {
        Self {
            event_id: rejection.event_id,
            source,
            usage_status: "invalid_usage",
            cost_status: None,
            tokens: BTreeMap::new(),
            units: BTreeMap::new(),
            cost_usd: None,
            computed_cost_usd: None,
            reported_cost_usd: None,
            provider: None,
            priced_model: None,
            resolution: None,
            price_book_version: None,
            flags: Vec::new(),
            rejection: Some(RejectionLine {
                code: rejection.code.name(),
                message: rejection.message,
                index,
            }),
        }
    }
}
