//! `costs`: what was spent, by any columns.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};

use super::ask::{Place, Rows};
use crate::cli::say::say;
use crate::pricing::share;
use crate::query::{CostsRequest, Interval, Scope};
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
    /// Cut time: hour, day or month.
    #[arg(long)]
    interval: Option<String>,
    /// Since when: a span back from now such as `7d`, or an RFC 3339 time.
    #[arg(long)]
    since: Option<String>,
    /// Until when: as `--since`.
    #[arg(long)]
    until: Option<String>,
    /// Only rows with this value: `tenant=acme`.
    #[arg(long = "where", value_name = "COLUMN=VALUE")]
    filters: Vec<String>,
    /// A server to ask, instead of the configured data directory.
    #[arg(long)]
    url: Option<String>,
}

/// Asks, and prints a table with a total.
///
/// # Errors
/// Why it was not answered; an unknown column names the nearest one.
pub async fn run(args: Args, config: Option<&Path>) -> Result<ExitCode> {
    let mut request = CostsRequest {
        group_by: args.by,
        interval: interval(args.interval.as_deref())?,
        from: instant(args.since.as_deref()).context("`--since`")?,
        to: instant(args.until.as_deref()).context("`--until`")?,
        filters: filters(&args.filters)?,
        scope: Scope::All,
    };
    let place = Place::find(args.url, config).await?;
    let rows = place.costs(&request, &query_string(&request)).await?;
    print!("{}", rows.drawn());
    let grouped = !request.group_by.is_empty() || request.interval != Interval::None;
    request.group_by.clear();
    request.interval = Interval::None;
    let total = place.costs(&request, &query_string(&request)).await?;
    let cell = |column: &str| total.text(0, column).filter(|text| !text.is_empty());
    let number = |column: &str| -> u64 { cell(column).map_or(0, |n| n.parse().unwrap_or(0)) };
    let all = Traffic {
        calls: number("calls"),
        tokens: number("total_input_tokens").saturating_add(number("total_output_tokens")),
    };
    let unpriced = Traffic { calls: number("unpriced_calls"), tokens: number("unpriced_tokens") };
    if grouped {
        say!(
            "\ntotal: {} USD for {} of {} calls",
            cell("cost_usd").unwrap_or_else(|| "0".to_owned()),
            number("priced_calls"),
            all.calls,
        );
    }
    if unpriced.calls > 0 {
        request.group_by = vec!["provider".to_owned(), "response_model".to_owned()];
        request.filters.insert("cost_status".to_owned(), "unpriced".to_owned());
        let models = place.costs(&request, &query_string(&request)).await?;
        say!("unpriced: {}{}", unpriced.of(&all), by_model(&models, &all));
    }
    Ok(ExitCode::SUCCESS)
}

/// How much was called.
struct Traffic {
    calls: u64,
    tokens: u64,
}

impl Traffic {
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
    let number = |row, column: &str| cell(row, column).parse::<u64>().unwrap_or(0);
    let mut rows: Vec<usize> = (0..models.rows.len()).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(number(*row, "calls")));
    let line = |row: &usize| {
        let of_model =
            Traffic { calls: number(*row, "calls"), tokens: number(*row, "unpriced_tokens") };
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

fn interval(name: Option<&str>) -> Result<Interval> {
    match name {
        None => Ok(Interval::None),
        Some("hour") => Ok(Interval::Hour),
        Some("day") => Ok(Interval::Day),
        Some("month") => Ok(Interval::Month),
        Some(other) => Err(anyhow!("`--interval {other}`: expected hour, day or month")),
    }
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

fn filters(texts: &[String]) -> Result<BTreeMap<String, String>> {
    let pair = |text: &String| {
        let (column, value) = text
            .split_once('=')
            .ok_or_else(|| anyhow!("`--where {text}`: expected COLUMN=VALUE"))?;
        Ok((column.to_owned(), value.to_owned()))
    };
    texts.iter().map(pair).collect()
}

/// The request as `GET /v1/costs` takes it.
fn query_string(request: &CostsRequest) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if !request.group_by.is_empty() {
        query.append_pair("group_by", &request.group_by.join(","));
    }
    let interval = match request.interval {
        Interval::None => None,
        Interval::Hour => Some("hour"),
        Interval::Day => Some("day"),
        Interval::Month => Some("month"),
    };
    if let Some(interval) = interval {
        query.append_pair("interval", interval);
    }
    for (name, at) in [("from", request.from), ("to", request.to)] {
        if let Some(at) = at {
            query.append_pair(name, &at.to_string());
        }
    }
    for (column, value) in &request.filters {
        query.append_pair(&format!("filter.{column}"), value);
    }
    query.finish()
}
