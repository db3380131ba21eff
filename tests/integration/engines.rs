//! The same questions to every engine that reads the tables, and to the server: equal totals.

use std::path::Path;
use std::process::Command;

use crate::parts::postgres::Clients;
use crate::parts::{installed, run};
use crate::postgres::{House, differences};

const TOTALS: &str = include_str!("engines/totals.tsv");

#[tokio::test(flavor = "multi_thread")]
async fn every_engine_gives_the_totals_that_http_gives() {
    let house = House::new(&[]).await;
    let expected = house.expected(TOTALS).await;
    assert!(TOTALS.lines().count() >= 10 && expected.len() > 30, "{}", expected.join("\n"));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let (questions, table) = (folder.join("integration/engines/totals.tsv"), house.table("calls"));
    let mut wrong = Vec::new();
    for (engine, part) in [("duckdb", "readers"), ("polars", "readers"), ("spark", "spark-4.0.1")] {
        let Some(part) = installed(part) else { continue };
        let mut ask = Command::new(part.join("bin/python"));
        // Spark gives times in the zone of its machine.
        ask.arg(folder.join("scripts/engine_totals.py")).arg(engine).env("TZ", "UTC");
        wrong.extend(differences(engine, &expected, &run(ask.arg(&table).arg(&questions))));
    }
    if let Some(clients) = Clients::installed() {
        for driver in ["psycopg", "asyncpg"] {
            let found = clients.python(driver, &house.port, &house.admin, &questions);
            wrong.extend(differences(driver, &expected, &found));
        }
        // Its script tells of the catalogue, too.
        let found = clients.java(&house.port, &house.admin, &questions);
        let answers: Vec<&str> = found.lines().take(expected.len()).collect();
        wrong.extend(differences("jdbc", &expected, &answers.join("\n")));
        wrong.extend(differences("psql", &expected, &by_psql(&clients, &house)));
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
    house.server.terminate();
}

/// The answers as psql prints them, in the plain form of the scripts.
fn by_psql(clients: &Clients, house: &House) -> String {
    let mut lines = String::new();
    for question in TOTALS.lines() {
        let (name, sql) = question.split_once('\t').expect("a name and a statement");
        let mut psql = clients.psql(&house.port, &house.admin);
        let said = run(psql.args(["-At", "-F", "\t", "-P", r"null=\N", "-c", sql]));
        for row in said.lines() {
            let cells: Vec<String> = row.split('\t').map(plain).collect();
            lines += &format!("{name}\t{}\n", cells.join("\t"));
        }
    }
    lines
}

/// PostgreSQL's text of a number or an instant, as JSON has it here.
fn plain(cell: &str) -> String {
    let is_number = |c: char| c.is_ascii_digit() || c == '.' || c == '-';
    if cell.contains('.') && cell.chars().all(is_number) {
        return cell.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let Some(instant) = cell.strip_suffix("+00") else { return cell.to_owned() };
    let (seconds, part) = instant.split_once('.').unwrap_or((instant, ""));
    let micros = format!("{part:0<6}");
    let part = match micros.strip_suffix("000") {
        Some("000") => String::new(),
        Some(millis) => format!(".{millis}"),
        None => format!(".{micros}"),
    };
    format!("{}{part}Z", seconds.replace(' ', "T"))
}
