//! `query`: asks in SQL.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::Value;

use super::ask::Place;
use crate::cli::say::say;
use crate::query::{Format, QUESTIONS, Question};

/// What `query` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One reading statement, or the name of a question of `sql/`; without it, their names.
    sql: Option<String>,
    /// How the answer is written: table, json, ndjson, csv, arrow, parquet.
    #[arg(long, default_value = "table")]
    format: String,
    /// What `$1`, `$2` and so on stand for.
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
            let first = question.sql.lines().next().unwrap_or_default();
            say!("{:<34} {}", question.name, first.trim_start_matches("-- "));
        }
        return Ok(ExitCode::SUCCESS);
    };
    let sql = Question::named(&sql).map_or(sql, |question| question.sql.to_owned());
    let parameters: Vec<Value> = args.parameters.into_iter().map(parameter).collect();
    let place = Place::find(args.url, config).await?;
    let format = match args.format.as_str() {
        "table" => {
            print!("{}", place.rows(&sql, &parameters).await?.drawn());
            return Ok(ExitCode::SUCCESS);
        }
        name => match Format::named(name) {
            Some(format) => format,
            None => bail!("`--format {name}`: expected table, json, ndjson, csv, arrow or parquet"),
        },
    };
    let answer = place.sql(&sql, &parameters, format).await?;
    let mut out = std::io::stdout().lock();
    out.write_all(&answer)?;
    if format == Format::Json {
        out.write_all(b"\n")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A whole number where it reads as one, else a text.
fn parameter(text: String) -> Value {
    text.parse::<i64>().map_or(Value::String(text), Value::from)
}
