//! What a query may use.

use std::time::Duration;

use super::*;
use crate::setting::{ByteSize, Span};

#[tokio::test(flavor = "multi_thread")]
async fn rows_beyond_the_limit_are_cut_off() {
    let test = TestLake::full().await;
    let engine = test.engine_with(QueryConfig { rows_max: 5, ..QueryConfig::default() });
    for (limit, kept, truncated) in [(None, 5, true), (Some(2), 2, true), (Some(9), 5, true)] {
        let request = SqlRequest { limit, ..SqlRequest::new("SELECT event_id FROM calls") };
        let mut answer = engine.ask(&request).await.expect("an answer");
        assert_eq!(row_count(&answer.collect().await.expect("rows")), kept);
        assert_eq!(answer.truncated(), truncated);
    }
    let exact = SqlRequest::new("SELECT event_id FROM calls LIMIT 5");
    let mut answer = engine.ask(&exact).await.expect("an answer");
    assert_eq!(row_count(&answer.collect().await.expect("rows")), 5);
    assert!(!answer.truncated());
}

#[tokio::test(flavor = "multi_thread")]
async fn time_size_and_memory_have_their_limits() {
    let test = TestLake::full().await;
    let nothing = ByteSize(1);
    let base = QueryConfig::default;
    let cross = "SELECT count(*) FROM calls a, calls b, calls c, calls d, calls e, calls f, \
                 calls g, calls h, calls i WHERE a.cost_usd + i.cost_usd > 9";
    for (config, sql, code) in [
        (QueryConfig { timeout: Span::millis(50), ..base() }, cross, "timeout"),
        (QueryConfig { answer_bytes_max: nothing, ..base() }, "SELECT * FROM calls", "too_large"),
        (QueryConfig { statement_bytes_max: nothing, ..base() }, "SELECT 1", "too_large"),
        (
            QueryConfig { memory: nothing, ..base() },
            "SELECT event_id, count(*) FROM calls GROUP BY 1 ORDER BY 1",
            "too_large",
        ),
    ] {
        let answer = rows(&test.engine_with(config), sql).await;
        assert!(answer.starts_with(&format!("{code}: ")), "{sql}: {answer}");
    }
    let hurried = SqlRequest { timeout: Some(Duration::from_millis(20)), ..SqlRequest::new(cross) };
    let error = ask(&test.engine(), &hurried).await.expect_err("a timeout");
    assert!(error.to_string().contains("20 ms"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_take_long_to_plan_is_refused() {
    let test = TestLake::empty().await;
    let engine = test.engine();
    let many = |part: &str, count: usize| part.repeat(count);
    for (sql, what) in [
        (format!("SELECT 1{}", many(" + 1", 5_000)), "words and signs"),
        (format!("SELECT 1{}", many(" + 1", 1_500)), "operators"),
        (format!("SELECT {}1{}", many("(", 10_000), many(")", 10_000)), "words and signs"),
        (format!("SELECT 1 FROM calls c{}", many(", calls", 30)), "tables"),
        (
            "SELECT 1 FROM calls GROUP BY CUBE (team, source, tenant, api, model, a, b)".to_owned(),
            "columns in a CUBE",
        ),
    ] {
        let answer = rows(&engine, &sql).await;
        assert!(answer.starts_with("too_large: ") && answer.contains(what), "{answer}");
    }
    let nested = format!("SELECT {}1{}", many("(", 200), many(")", 200));
    assert!(rows(&engine, &nested).await.starts_with("sql_invalid: "));
}

#[test]
fn an_unknown_setting_is_refused() {
    let wrong = serde_json::from_str::<QueryConfig>(r#"{"time_out": "5s"}"#);
    let message = wrong.expect_err("refused").to_string();
    assert!(message.contains("time_out") && message.contains("timeout"), "{message}");
}
