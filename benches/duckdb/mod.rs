//! DuckDB doing the same work on the same file, and how figures are printed.

use std::path::Path;
use std::process::Command;

use crate::traffic::PRICES;

/// What DuckDB is to do.
#[derive(Clone, Copy)]
pub enum Work {
    /// Read, classify, price and hash into a table in memory.
    #[allow(dead_code)]
    Meter,
    /// The same, and write the rows as Parquet.
    #[allow(dead_code)]
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

/// Rows per CPU-second of DuckDB, and the cost it comes to; `None` where there is no DuckDB.
pub fn duckdb(file: &Path, rounds: usize, work: Work) -> Option<(f64, String)> {
    let python = std::env::var("TOKENMETER_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/duckdb/meter.py");
    let mut command = Command::new(python);
    command.arg(script).arg(file).arg(rounds.to_string()).arg(work.name());
    for (provider, model, rates) in PRICES {
        command.args(rates.iter().map(|(class, usd)| format!("{provider},{model},{class},{usd}")));
    }
    let output = command.output().ok()?;
    if !output.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    let answer = String::from_utf8_lossy(&output.stdout);
    let (rows_per_second, cost) = answer.trim().split_once(' ')?;
    Some((rows_per_second.parse().ok()?, cost.to_owned()))
}
