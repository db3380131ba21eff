//! `costs`: what was spent, by any columns; and how far the figures can be trusted.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};

use super::ask::{Place, Rows};
use crate::attribution::UNATTRIBUTED;
use crate::cli::say::say;
use crate::pricing::share;
use crate::query::{Format, QUALITY, Question, Terms};
use crate::setting::Span;
use crate::time::{Clock, SystemClock, Timestamp};

/// How many models without a price are named.
const MODELS_SHOWN: usize = 5;

/// What `costs` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Columns to group by, such as `team,model`.
    #[arg(long, value_delimiter = ',')]
    by: Vec<String>,
    /// Cut time: hour, day, week or month.
    #[arg(long)]
    interval: Option<String>,
    /// By whose clocks time is cut and days begin: an IANA name such as `America/New_York`; without
    /// it, UTC.
    #[arg(long)]
    time_zone: Option<String>,
    /// Since when: a span back from now such as `7d`, a day, or an RFC 3339 time.
    #[arg(long)]
    since: Option<String>,
    /// Until when: as `--since`.
    #[arg(long)]
    until: Option<String>,
    /// Only rows with this value: `tenant=acme`.
    #[arg(long = "where", value_name = "COLUMN=VALUE")]
    filters: Vec<String>,
    /// How the answer is written: table, with a total and what is not priced or attributed; or
    /// json, ndjson, csv (safe to open in a spreadsheet), csv_raw, arrow, parquet.
    #[arg(long, default_value = "table", conflicts_with = "quality")]
    format: String,
    /// How far the figures can be trusted, in place of the figures: what is priced, estimated,
    /// attributed, duplicate, late, rejected, reported otherwise, and how new it is.
    #[arg(long, conflicts_with_all = ["by", "interval"])]
    quality: bool,
    /// A server to ask, instead of the configured data directory.
    #[arg(long)]
    url: Option<String>,
}

/// Asks, and prints a table with a total.
///
/// # Errors
/// Why it was not answered; an unknown column names the nearest one.
pub async fn run(args: Args, config: Option<&Path>) -> Result<ExitCode> {
    let terms = narrowing(&args)?;
    let place = Place::find(args.url, config).await?;
    if args.quality {
        return quality(&place, &terms).await;
    }
    let mut grouped = terms.clone();
    if !args.by.is_empty() {
        grouped.insert("group_by".to_owned(), args.by.join(","));
    }
    grouped.extend(args.interval.map(|interval| ("interval".to_owned(), interval)));
    if args.format != "table" {
        let format = Format::named(&args.format);
        let expected = || anyhow!("`--format {}`: expected table, {}", args.format, Format::NAMES);
        let answer = place.costs_in(&grouped, format.ok_or_else(expected)?).await?;
        let mut out = std::io::stdout().lock();
        out.write_all(&answer)?;
        if format == Some(Format::Json) {
            out.write_all(b"\n")?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    print!("{}", place.costs(&grouped).await?.drawn());
    let total = place.costs(&terms).await?;
    let all = Traffic::of_row(&total, 0, "");
    if grouped != terms {
        say!("\ntotal: {} USD for {} of {} calls", all.usd, all.priced_calls, all.calls);
    }
    unpriced(&place, &terms, &total).await?;
    unattributed(&place, &terms, &all).await?;
    Ok(ExitCode::SUCCESS)
}

/// What the arguments say of which calls are meant.
fn narrowing(args: &Args) -> Result<Terms> {
    let mut terms = Terms::new();
    for (name, text) in [("from", &args.since), ("to", &args.until)] {
        if let Some(text) = text {
            terms.insert(name.to_owned(), back_from_now(text));
        }
    }
    terms.extend(args.time_zone.iter().map(|zone| ("time_zone".to_owned(), zone.clone())));
    for text in &args.filters {
        let (column, value) = text
            .split_once('=')
            .ok_or_else(|| anyhow!("`--where {text}`: expected COLUMN=VALUE"))?;
        if terms.insert(format!("filter.{column}"), value.to_owned()).is_some() {
            bail!("`--where {column}`: one value at a time");
        }
    }
    Ok(terms)
}

/// A span back from now as the time that it means; anything else as it is.
fn back_from_now(text: &str) -> String {
    match text.parse::<Span>() {
        Ok(span) => SystemClock.now().plus_micros(span.micros().saturating_neg()).to_string(),
        Err(_) => text.to_owned(),
    }
}

/// The page of data quality: each question of it with its answer.
async fn quality(place: &Place, terms: &Terms) -> Result<ExitCode> {
    for question in QUALITY.iter().filter_map(|name| Question::named(name)) {
        say!("{}: {}", question.name, question.asks());
        let letters = question.sql.contains("FROM dead_letters");
        match place.told(&question, terms).await {
            Ok(rows) if rows.rows.is_empty() => say!("nothing\n"),
            Ok(rows) => say!("{}", rows.drawn()),
            // Dead letters are known by less than calls.
            Err(why) if letters && why.to_string().contains("dead letters cannot be filtered") => {
                say!("not told: {why}\n");
            }
            Err(why) => return Err(why).with_context(|| question.name.to_owned()),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What has no price, and which models that is.
async fn unpriced(place: &Place, terms: &Terms, total: &Rows) -> Result<()> {
    let all = Traffic::of_row(total, 0, "");
    let unpriced = Traffic::of_row(total, 0, "unpriced_");
    let filter = "filter.cost_status".to_owned();
    if unpriced.calls == 0 || terms.contains_key(&filter) {
        return Ok(());
    }
    let mut terms = terms.clone();
    terms.insert("group_by".to_owned(), "provider,response_model".to_owned());
    terms.insert(filter, "unpriced".to_owned());
    let models = place.costs(&terms).await?;
    say!("unpriced: {}{}", unpriced.of(&all), by_model(&models, &all));
    Ok(())
}

/// What nobody is named for.
async fn unattributed(place: &Place, terms: &Terms, all: &Traffic) -> Result<()> {
    let filter = "filter.tenant".to_owned();
    if all.calls == 0 || terms.contains_key(&filter) {
        return Ok(());
    }
    let mut terms = terms.clone();
    terms.insert(filter, UNATTRIBUTED.to_owned());
    let nobody = Traffic::of_row(&place.costs(&terms).await?, 0, "");
    if nobody.calls > 0 {
        let (usd, of) = (&nobody.usd, nobody.of(all));
        say!("unattributed: {of}, {usd} USD: `tenant` is not known of these");
    }
    Ok(())
}

/// How much was called.
struct Traffic {
    calls: u64,
    priced_calls: u64,
    tokens: u64,
    usd: String,
}

impl Traffic {
    /// A row of costs; with a prefix, the part of it that is called so.
    fn of_row(rows: &Rows, row: usize, prefix: &str) -> Self {
        let cell = |column: &str| rows.text(row, column).filter(|text| !text.is_empty());
        let number = |column: &str| -> u64 { cell(column).map_or(0, |n| n.parse().unwrap_or(0)) };
        let all = number("total_input_tokens").saturating_add(number("total_output_tokens"));
        Self {
            calls: number(&format!("{prefix}calls")),
            priced_calls: number("priced_calls"),
            tokens: if prefix.is_empty() { all } else { number(&format!("{prefix}tokens")) },
            usd: cell("cost_usd").unwrap_or_else(|| "0".to_owned()),
        }
    }

    fn of(&self, all: &Self) -> String {
        format!(
            "{} calls ({} %), {} tokens ({} %)",
            self.calls,
            share(self.calls, all.calls),
            self.tokens,
            share(self.tokens, all.tokens),
        )
    }
}

/// The unpriced models with the most calls, a line each.
fn by_model(models: &Rows, all: &Traffic) -> String {
    let cell = |row, column: &str| models.text(row, column).unwrap_or_default();
    let calls = |row| cell(row, "calls").parse::<u64>().unwrap_or(0);
    let mut rows: Vec<usize> = (0..models.rows.len()).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(calls(*row)));
    let line = |row: &usize| {
        let of_model = Traffic::of_row(models, *row, "unpriced_");
        format!(
            "\n  {} {}: {}",
            cell(*row, "provider"),
            cell(*row, "response_model"),
            of_model.of(all)
        )
    };
    let mut lines: String = rows.iter().take(MODELS_SHOWN).map(line).collect();
    if let Some(more) = rows.len().checked_sub(MODELS_SHOWN).filter(|more| *more > 0) {
        lines.push_str(&format!(
            "\n  and {more} more: `tokenmeter query unpriced_by_model` lists all"
        ));
    }
    lines
}

/// A span back from now, or an instant.
///
/// # Errors
/// What was expected.
pub fn instant(text: Option<&str>) -> Result<Option<Timestamp>> {
    let Some(text) = text else { return Ok(None) };
    if let Ok(span) = text.parse::<Span>() {
        let now = SystemClock.now();
        return Ok(Some(now.plus_micros(span.micros().saturating_neg())));
    }
    let at = text.parse::<Timestamp>();
    at.map(Some).map_err(|_| anyhow!("`{text}`: expected a span such as `7d`, or an RFC 3339 time"))
}
