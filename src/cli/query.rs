//! `query`: asks in SQL.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::Value;

use super::ask::{Place, Rows};
use crate::cli::say::say;
use crate::query::{Format, QUESTIONS, Question, Terms};

/// What `query` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One reading statement, or the name of a question of `sql/`; without it, their names.
    sql: Option<String>,
    /// How the answer is written: table, json, ndjson, csv (safe to open in a spreadsheet),
    /// csv_raw, arrow, parquet.
    #[arg(long, default_value = "table")]
    format: String,
    /// What `$1`, `$2` and so on stand for. Of a question also by name, as `day=2026-11-23`; and
    /// `from=2026-11-01`, `to=…`, `filter.team=search` narrow it.
    #[arg(long = "param")]
    parameters: Vec<String>,
    /// A server to ask, instead of the configured data directory.
    #[arg(long)]
    url: Option<String>,
}

/// Asks, and prints the answer.
///
/// # Errors
/// Why it was not answered.
pub async fn run(args: Args, config: Option<&Path>) -> Result<ExitCode> {
    let Some(sql) = args.sql else {
        for question in QUESTIONS {
            let parameters = question.parameters().into_iter().map(|it| it.name);
            let parameters = parameters.collect::<Vec<_>>().join(", ");
            let taken = if parameters.is_empty() { parameters } else { format!(" ({parameters})") };
            say!("{:<34} {}{taken}", question.name, question.asks());
        }
        return Ok(ExitCode::SUCCESS);
    };
    let format = match args.format.as_str() {
        "table" => None,
        name => match Format::named(name) {
            Some(format) => Some(format),
            None => bail!("`--format {name}`: expected table, {}", Format::NAMES),
        },
    };
    let place = Place::find(args.url, config).await?;
    let wanted = format.unwrap_or_default();
    let answer = match Question::named(&sql) {
        Some(question) => {
            let terms = terms(&question, args.parameters)?;
            place.question(&question, &terms, wanted).await?
        }
        None => {
            let parameters: Vec<Value> = args.parameters.into_iter().map(parameter).collect();
            place.sql(&sql, &parameters, wanted).await?
        }
    };
    if format.is_none() {
        print!("{}", Rows::read(&answer)?.drawn());
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = std::io::stdout().lock();
    out.write_all(&answer)?;
    if wanted == Format::Json {
        out.write_all(b"\n")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The terms of a question: those that are named, and the others for its parameters in their order.
fn terms(question: &Question, given: Vec<String>) -> Result<Terms> {
    let parameters = question.parameters();
    let is_name = |name: &str| {
        let own = parameters.iter().any(|parameter| parameter.name == name);
        own || ["from", "to", "time_zone"].contains(&name) || name.starts_with("filter.")
    };
    let mut terms = Terms::new();
    let mut unnamed = Vec::new();
    for text in given {
        match text.split_once('=').filter(|(name, _)| is_name(name)) {
            Some((name, value)) => drop(terms.insert(name.to_owned(), value.to_owned())),
            None => unnamed.push(text),
        }
    }
    let mut left = parameters.iter().filter(|it| !terms.contains_key(&it.name));
    let mut placed = Vec::new();
    for text in unnamed {
        match left.next() {
            Some(parameter) => placed.push((parameter.name.clone(), text)),
            None => bail!("`--param {text}`: `{}` takes no more", question.name),
        }
    }
    terms.extend(placed);
    Ok(terms)
}

/// A whole number where it reads as one, else a text.
fn parameter(text: String) -> Value {
    text.parse::<i64>().map_or(Value::String(text), Value::from)
}
