//! Every question of `sql/`, over the small lake.

use super::lake::{CALLS, TABLE, at, call_row};
use super::*;
use crate::event::CallStatus;
use crate::lake::CallRow;
use crate::money::Usd;
use crate::pricing::CostStatus;

/// A question at noon of the day after the lake's calls, with what it takes.
fn asked(question: &Question) -> SqlRequest {
    let given = [("at", "2026-11-23T12:00:00Z")];
    let names: Vec<String> = question.parameters().into_iter().map(|it| it.name).collect();
    let given = given.into_iter().filter(|(name, _)| names.iter().any(|it| it == name));
    asked_with(question, &given.collect::<Vec<_>>())
}

fn asked_with(question: &Question, pairs: &[(&str, &str)]) -> SqlRequest {
    let asked = question.asked(terms(pairs), at("2026-11-23T12:00:00Z")).expect(question.name);
    asked.to_sql().expect(question.name)
}

/// Terms, as a URL has them.
fn terms(pairs: &[(&str, &str)]) -> Terms {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn named(name: &str) -> Question {
    Question::named(name).expect("a question")
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

#[tokio::test(flavor = "multi_thread")]
async fn a_header_names_the_columns_of_the_answer() {
    let test = TestLake::empty().await;
    let engine = test.engine();
    for question in QUESTIONS {
        let answer = engine.ask(&asked(question)).await.expect(question.name);
        let schema = answer.schema();
        let found: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let told: Vec<String> = question.columns().into_iter().map(|it| it.name).collect();
        assert_eq!(found, told, "{}", question.name);
        assert!(question.asks().ends_with('?'), "{}", question.name);
        let places = (1..=9).filter(|place| question.sql.contains(&format!("${place}"))).count();
        assert_eq!(question.parameters().len(), places, "{}", question.name);
    }
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/sql")).expect("a folder");
    for file in files {
        let name = file.expect("a file").file_name().into_string().expect("a name");
        let name = name.trim_end_matches(".sql");
        let is_known = Question::named(name).is_some();
        assert!(is_known || ["costs", "call", "dead_letters"].contains(&name), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_narrowed_to_some_calls() {
    let test = TestLake::full().await;
    let engine = test.engine();
    let phoenix = ("time_zone", "America/Phoenix");
    for (name, pairs, rows) in [
        ("cost_by_tenant", &[("filter.tenant", "acme")][..], r#"[["acme",4,1,"4.500001"]]"#),
        (
            "cost_by_tenant",
            &[("filter.team", "unattributed"), ("to", "2026-11-22")],
            r#"[["globex",1,0,"0.00004"],["unattributed",1,1,null]]"#,
        ),
        // The day begins at seven in the morning of UTC there.
        (
            "cost_by_tenant",
            &[phoenix, ("from", "2026-11-21"), ("to", "2026-11-22"), ("filter.model", "gpt-5")],
            r#"[["unattributed",1,0,"0.005"]]"#,
        ),
        (
            "cost_by_tenant",
            &[phoenix, ("from", "2026-11-20"), ("to", "2026-11-21"), ("filter.model", "gpt-5")],
            r#"[["acme",2,0,"1.5"],["globex",1,0,"0.00004"]]"#,
        ),
        // A share is one of the calls that are left in.
        (
            "priced_share",
            &[("filter.tenant", "globex")],
            r#"[["priced",2,"100",3714,"100","0.70004"]]"#,
        ),
        ("waste", &[("filter.tenant", "globex")], "[]"),
        (
            "dead_letters_by_reason",
            &[("filter.tenant", "acme")],
            r#"[["invalid_usage",1,1,0,"2026-11-22T00:00:00Z","2026-11-22T00:00:00Z"]]"#,
        ),
        ("dead_letters_by_reason", &[("from", "2026-11-22T00:00:00.000001Z")], "[]"),
        (
            "cost_by_day",
            &[("time_zone", "Asia/Tokyo"), ("filter.tenant", "globex")],
            r#"[["2026-11-21",1,"0.00004"],["2026-11-22",1,"0.7"]]"#,
        ),
    ] {
        let document = ask(&engine, &asked_with(&named(name), pairs)).await.expect(name);
        assert_eq!(document["rows"].to_string(), rows, "{name} {pairs:?}");
    }
}

#[test]
fn terms_that_are_not_understood_say_what_was_expected() {
    let now = at("2026-11-23T12:00:00Z");
    for (name, pairs, expected) in [
        ("cost_by_tenant", &[("form", "2026-11-21")][..], "expected from, to"),
        ("cost_by_tenant", &[("from", "yesterday")], "RFC 3339"),
        ("cost_by_tenant", &[("from", "2026-02-30")], "RFC 3339"),
        ("cost_by_day", &[("time_zone", "Mars/Olympus")], "America/New_York"),
        ("month_to_date", &[("day", "2026-11-23T00:00:00Z")], "such as `2026-11-23`"),
        ("month_to_date", &[("day", "'; DROP --")], "`2026-11-23`"),
        ("billed_then_and_now", &[], "`at`: is missing"),
    ] {
        let error = named(name).asked(terms(pairs), now).expect_err(name);
        assert!(error.to_string().contains(expected), "{name} {pairs:?}: {error}");
    }
    for (name, pairs, expected) in [
        ("cost_by_tenant", &[("filter.taem", "x")][..], "`team`"),
        ("dead_letters_by_reason", &[("filter.team", "x")], "dead letters cannot be filtered"),
        ("revisions", &[("filter.team", "x")], "cannot be narrowed"),
        ("billed_then_and_now", &[("at", "2026-11-23"), ("filter.team", "x")], "be narrowed"),
    ] {
        let asked = named(name).asked(terms(pairs), now).expect("understood");
        let error = asked.to_sql().expect_err(name);
        assert!(error.to_string().contains(expected), "{name} {pairs:?}: {error}");
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
        "cache_savings",
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
    // 25 hours on the day that clocks go back.
    let pairs = [("time_zone", "America/New_York"), ("filter.tenant", "globex")];
    let days = ask(&engine, &asked_with(&named("cost_by_day"), &pairs)).await.expect("days");
    let expected = serde_json::json!([
        ["2026-10-31", 1, "0.00001"],
        ["2026-11-01", 2, "0.00006"],
        ["2026-11-02", 1, "0.00008"]
    ]);
    assert_eq!(days["rows"], expected);
}

/// A step's first try is no waste because another step had two.
#[tokio::test(flavor = "multi_thread")]
async fn tries_of_another_step_are_no_waste() {
    let test = TestLake::empty().await;
    let calls = [("draft", 1), ("review", 1), ("review", 2)];
    let rows = calls.iter().zip(0..).map(|((step, attempt), offset)| {
        let id = format!("s{offset}");
        let mut row = call_row(&(&id, "acme", "chat", "gpt-5", 1, 1_000_000), offset);
        row.charge.event.operation_id = Some("op".to_owned());
        row.charge.event.step = Some((*step).to_owned());
        row.charge.event.attempt = Some(*attempt);
        row
    });
    test.write(TABLE, rows.collect(), 1).await;
    let answer = ask(&test.engine(), &asked(&named("waste"))).await.expect("an answer");
    assert_eq!(answer["rows"].to_string(), r#"[["retried","openai","gpt-5",1,50,"1"]]"#);
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

#[tokio::test(flavor = "multi_thread")]
async fn the_files_behind_commands_and_routes_run() {
    let test = TestLake::full().await;
    let engine = test.engine();
    let dead_letters = SqlRequest {
        parameters: vec!["".into(), "".into(), "".into(), "".into(), false.into(), 10_i64.into()],
        ..SqlRequest::new(include_str!("../../../sql/dead_letters.sql"))
    };
    let document = ask(&engine, &dead_letters).await.expect("an answer");
    assert_eq!(document.get("rows").and_then(Value::as_array).map(Vec::len), Some(2));
}
