//! DuckDB doing the same work on the same file, and how figures are printed.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::traffic::PRICES;

/// What DuckDB is to do.
#[derive(Clone, Copy)]
pub enum Work {
    /// Read, classify, price and hash into a table in memory.
    Meter,
    /// The same, and write the rows as Parquet.
    Ingest,
}

impl Work {
    const fn name(self) -> &'static str {
        match self {
            Self::Meter => "meter",
            Self::Ingest => "ingest",
        }
    }
}

pub fn report(what: &str, rows_per_second: f64) {
    println!("{what:<24}{rows_per_second:>12.0} rows per CPU-second");
}

/// Says loudly that there is nothing to compare with.
pub fn missing() {
    eprintln!(
        "\n*** NOT COMPARED: no DuckDB. `pip install duckdb` and TOKENMETER_PYTHON=<python> ***"
    );
}

fn python(script: &str) -> Command {
    let python = std::env::var("TOKENMETER_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut command = Command::new(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/duckdb").join(script));
    command
}

fn output(mut command: Command) -> Option<Vec<u8>> {
    let output = command.output().ok()?;
    if !output.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    Some(output.stdout)
}

/// What DuckDB answers to questions, as `questions::as_json` writes them, over the rows of these
/// files, which it first writes to a folder, a file a day; `None` where there is no DuckDB.
pub fn asked(questions: &str, files: &[PathBuf], days: &Path) -> Option<Vec<u8>> {
    let mut command = python("query.py");
    command.arg(questions).arg(days).args(files);
    output(command)
}

/// Rows per CPU-second of DuckDB, and the cost it comes to; `None` where there is no DuckDB.
pub fn duckdb(file: &Path, rounds: usize, work: Work) -> Option<(f64, String)> {
    let mut command = python("meter.py");
    command.arg(file).arg(rounds.to_string()).arg(work.name());
    for (provider, model, rates) in PRICES {
        command.args(rates.iter().map(|(class, usd)| format!("{provider},{model},{class},{usd}")));
    }
    let output = output(command)?;
    let answer = String::from_utf8_lossy(&output);
    let (rows_per_second, cost) = answer.trim().split_once(' ')?;
    Some((rows_per_second.parse().ok()?, cost.to_owned()))
}
