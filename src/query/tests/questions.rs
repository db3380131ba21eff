//! Every question of `sql/`, over the small lake.

use super::lake::{CALLS, TABLE, call_row};
use super::*;
use crate::event::CallStatus;
use crate::lake::CallRow;
use crate::money::Usd;
use crate::pricing::CostStatus;

/// A question, with the last day of the lake's calls for its parameter.
fn asked(question: &Question) -> SqlRequest {
    let parameters = if question.sql.contains("$1") { vec!["2026-11-23".into()] } else { vec![] };
    SqlRequest { parameters, ..SqlRequest::new(question.sql) }
}

async fn csv(engine: &QueryEngine, question: &Question) -> String {
    let mut answer = engine.ask(&asked(question)).await.expect(question.name);
    let table = encode(&mut answer, Format::Csv).await.expect(question.name);
    String::from_utf8(table).expect("text").replace("\r\n", "\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_has_its_answer() {
    let test = TestLake::full().await;
    let engine = test.engine();
    for question in QUESTIONS {
        insta::assert_snapshot!(question.name, csv(&engine, question).await);
    }
}

/// Calls of two operations: one throttled and answered by another model, one aborted and asked
/// again; and calls around the hour that New York's clocks go back.
fn troubled() -> Vec<CallRow> {
    let calls = [
        ("t1", "acme", "search", "gpt-5", 48, 1_000_000),
        ("t2", "acme", "search", "claude-5", 48, 3_000_000),
        ("t3", "acme", "chat", "gpt-5", 49, 500_000),
        ("t4", "acme", "chat", "gpt-5", 49, 700_000),
        ("n1", "globex", "ops", "gpt-5", -477, 10),
        ("n2", "globex", "ops", "gpt-5", -476, 20),
        ("n3", "globex", "ops", "gpt-5", -452, 40),
        ("n4", "globex", "ops", "gpt-5", -451, 80),
    ];
    let rows = calls.iter().zip(0..).map(|(call, offset)| {
        let mut row = call_row(call, offset);
        let event = &mut row.charge.event;
        let (operation, attempt) = match call.0 {
            "t1" | "t2" => ("op-1", 1),
            "t3" => ("op-2", 1),
            _ => ("op-2", 2),
        };
        if call.0.starts_with('t') {
            event.trace_id = Some(format!("trace-{operation}"));
            event.operation_id = Some(operation.to_owned());
            event.attempt = Some(attempt);
            event.latency_ms = Some(900);
        }
        match call.0 {
            "t1" => {
                event.status = CallStatus::Failed;
                event.http_status = Some(429);
                event.error_type = Some("rate_limit".to_owned());
            }
            "t2" => event.fallback_of = Some("t1".to_owned()),
            "t3" => event.status = CallStatus::Aborted,
            _ => {}
        }
        row
    });
    rows.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_has_its_cost() {
    let test = TestLake::empty().await;
    for (row, next) in troubled().into_iter().zip(1..) {
        test.write(TABLE, vec![row], next).await;
    }
    let engine = test.engine();
    let mut answers = String::new();
    for name in [
        "cost_by_day_in_new_york",
        "cost_per_operation",
        "cost_per_trace",
        "latency_and_tokens_by_model",
        "models_by_feature",
        "month_to_date",
        "throttled_and_fallbacks",
        "top_movers",
        "waste",
    ] {
        let question = Question::named(name).expect("a question");
        answers += &format!("{name}\n{}\n", csv(&engine, &question).await);
    }
    insta::assert_snapshot!("trouble", answers);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_answers_an_empty_lake_and_a_tenant() {
    let (empty, full) = (TestLake::empty().await, TestLake::full().await);
    let (empty, full) = (empty.engine(), full.engine());
    for question in QUESTIONS {
        for (engine, scope) in [(&empty, Scope::All), (&full, of_tenants(&["globex"]))] {
            let request = SqlRequest { scope, ..asked(question) };
            let answer = ask(engine, &request).await.expect(question.name);
            let answer = answer.get("rows").expect("rows").to_string();
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
        parameters: vec!["".into(), "".into(), "".into(), "".into(), false.into(), 10_i64.into()],
        ..SqlRequest::new(include_str!("../../../sql/dead_letters.sql"))
    };
    let document = ask(&engine, &dead_letters).await.expect("an answer");
    assert_eq!(document.get("rows").and_then(Value::as_array).map(Vec::len), Some(2));
}
