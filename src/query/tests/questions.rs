//! Every question of `sql/`, over the small lake.

use super::lake::{CALLS, TABLE, call_row};
use super::*;
use crate::lake::CallRow;
use crate::money::Usd;
use crate::pricing::CostStatus;

#[tokio::test(flavor = "multi_thread")]
async fn every_question_has_its_answer() {
    let test = TestLake::full().await;
    let engine = test.engine();
    for question in QUESTIONS {
        let mut answer = engine.ask(&SqlRequest::new(question.sql)).await.expect(question.name);
        let table = encode(&mut answer, Format::Csv).await.expect(question.name);
        let table = String::from_utf8(table).expect("text").replace("\r\n", "\n");
        insta::assert_snapshot!(question.name, table);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_answers_an_empty_lake_and_a_tenant() {
    let (empty, full) = (TestLake::empty().await, TestLake::full().await);
    let (empty, full) = (empty.engine(), full.engine());
    for question in QUESTIONS {
        for (engine, scope) in [(&empty, Scope::All), (&full, of_tenants(&["globex"]))] {
            let answer = rows_in(engine, question.sql, &scope).await;
            assert!(answer.starts_with('['), "{}: {answer}", question.name);
            assert!(!answer.contains("acme"), "{}: {answer}", question.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reported_cost_that_counts_still_stands_beside_the_computed_one() {
    let test = TestLake::empty().await;
    let row = call_row(&CALLS[2], 0);
    let mut charge = row.charge;
    charge.cost.status = CostStatus::ProviderReported;
    charge.cost.cost = Some(Usd::from_pico(2_000_000_000_000));
    charge.cost.computed_cost = Some(Usd::from_pico(1_600_000_000_000));
    charge.event.reported_cost = charge.cost.cost.map(Usd::to_decimal);
    charge.usage.reported_cost = None;
    let row = CallRow::new(charge, row.lineage, row.ingested_at).expect("a row");
    test.write(TABLE, vec![row], 1).await;
    for (name, figures) in [
        ("reported_vs_computed", ["\"0.4\"", "\"25\""]),
        ("drift_against_reported", ["\"-0.4\"", "\"1.6\""]),
    ] {
        let sql = Question::named(name).expect("a question").sql;
        let answer = rows_in(&test.engine(), sql, &Scope::All).await;
        assert!(figures.iter().all(|figure| answer.contains(figure)), "{name}: {answer}");
    }
}

#[test]
fn every_file_says_what_it_asks() {
    for question in QUESTIONS {
        let mut lines = question.sql.lines();
        let first = lines.next().unwrap_or_default();
        assert!(first.starts_with("-- ") && first.ends_with('?'), "{}", question.name);
        assert!(lines.any(|line| line.starts_with("-- ") && line.contains("Columns:")), "{first}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_behind_commands_and_routes_run() {
    let test = TestLake::full().await;
    let engine = test.engine();
    let anomalies = SqlRequest {
        parameters: vec!["2026-11-01T00:00:00Z".into()],
        ..SqlRequest::new(include_str!("../../../sql/anomalies.sql"))
    };
    let document = ask(&engine, &anomalies).await.expect("an answer");
    assert_eq!(document.get("rows").expect("rows").to_string(), "[]");
    let dead_letters = SqlRequest {
        parameters: vec!["".into(), 10_i64.into()],
        ..SqlRequest::new(include_str!("../../../sql/dead_letters.sql"))
    };
    let document = ask(&engine, &dead_letters).await.expect("an answer");
    assert_eq!(document.get("rows").and_then(Value::as_array).map(Vec::len), Some(2));
}
