//! Rows per CPU-second of the pure path, from bytes to charges, beside DuckDB doing the same.
//!
//! `cargo bench --bench meter --no-default-features`. One thread, CPU time, made-up calls. DuckDB
//! comes from PyPI: `TOKENMETER_PYTHON` names a Python that has it (default `python3`). Both must
//! come to the same cost, to the picodollar.
#![allow(missing_docs, clippy::indexing_slicing)]

use tokenmeter::attribution::{Rules, Sender};
use tokenmeter::charge::meter;
use tokenmeter::event::{decode_call_event, split_events};
use tokenmeter::money::Usd;

#[allow(dead_code)]
mod duckdb;
#[allow(dead_code)]
mod traffic;

use duckdb::{Work, duckdb, report};

const CALLS: u64 = 300_000;
const ROUNDS: usize = 3;

fn main() {
    let lines = traffic::ndjson(CALLS);
    let events = split_events(&lines).expect("events");
    println!(
        "{CALLS} made-up calls, {} bytes each, best of {ROUNDS}, one thread",
        lines.len() / events.len()
    );
    report("decode", rate(|| events.iter().for_each(|event| drop(decode_call_event(event)))));
    let (book, rules) = (traffic::book(), Rules::default());
    let sender =
        Sender { namespace: "bench".to_owned(), claims_allowed: true, ..Sender::default() };
    let mut total = Usd::ZERO;
    let metered = rate(|| {
        total = Usd::ZERO;
        for event in &events {
            let event = decode_call_event(event).expect("an event");
            let charge = meter(event, &book, &rules, &sender).expect("a charge");
            let sum = charge.cost.cost.and_then(|cost| total.checked_add(cost));
            total = sum.expect("a price");
        }
    });
    report("decode and meter", metered);
    println!("{:<24}{total} USD", "total");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("calls.ndjson");
    std::fs::write(&file, &lines).expect("a file");
    match duckdb(&file, ROUNDS, Work::Meter) {
        Some((rows_per_second, cost)) => {
            report("DuckDB, the same", rows_per_second);
            println!("{:<24}{cost} USD", "total");
            assert_eq!(cost, total.to_string(), "the two disagree about the cost");
            println!("{:<24}{:.2}", "times DuckDB", metered / rows_per_second);
        }
        None => duckdb::missing(),
    }
}

/// The best of some rounds.
fn rate(mut work: impl FnMut()) -> f64 {
    let mut best = 0.0_f64;
    for _ in 0..ROUNDS {
        let before = cpu_seconds();
        work();
        best = best.max(CALLS as f64 / (cpu_seconds() - before));
    }
    best
}

/// CPU time of this thread: the first number, in nanoseconds, that Linux keeps for it.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    stat.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).expect("a number") / 1e9
}
