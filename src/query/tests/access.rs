//! A tenant's question gives the same bytes whether or not other tenants have rows.

use super::*;

/// Statements that try to learn of other tenants' rows.
const HOSTILE: [&str; 22] = [
    "SELECT count(*) FROM calls",
    "SELECT * FROM calls ORDER BY event_id",
    "SELECT tenant, sum(cost_usd) FROM calls GROUP BY tenant",
    "SELECT event_id FROM calls WHERE tenant = 'globex' OR 1 = 1 ORDER BY 1",
    "SELECT event_id FROM calls WHERE tenant <> 'acme'",
    "SELECT event_id FROM calls WHERE CAST(team AS INT) > 0",
    "SELECT event_id FROM calls WHERE CAST(tenant AS INT) > 0",
    "SELECT event_id FROM calls WHERE 1 / (total_input_tokens - 300 - 7 - 300) > 0",
    "SELECT 1 / (source_offset - 4) FROM calls ORDER BY 1",
    "SELECT max(source_offset), min(occurred_at), approx_distinct(team) FROM calls",
    "EXPLAIN SELECT * FROM calls WHERE team = 'ops'",
    "SELECT * FROM information_schema.tables ORDER BY table_name",
    "SELECT count(*) FROM information_schema.columns",
    "SELECT a.event_id, b.event_id FROM calls a CROSS JOIN calls b ORDER BY 1, 2",
    "SELECT event_id FROM calls WHERE date IN (SELECT date FROM calls) ORDER BY 1",
    "SELECT event_id, row_number() OVER (ORDER BY occurred_at) FROM calls ORDER BY 1",
    "SELECT tenant, reason FROM dead_letters",
    "SELECT price_id FROM prices ORDER BY 1",
    "SELECT * FROM control",
    "SELECT * FROM anomalies",
    "SELECT count(*) FROM call_revisions",
    "SELECT event_id FROM calls ORDER BY cost_usd DESC NULLS LAST LIMIT 2",
];

#[tokio::test(flavor = "multi_thread")]
async fn other_tenants_rows_change_nothing() {
    let with = TestLake::full().await;
    let without = TestLake::with(|call| call.1 == "acme").await;
    let (with, without) = (with.engine(), without.engine());
    let scope = of_tenants(&["acme"]);
    for sql in HOSTILE {
        let (one, other) =
            (rows_in(&with, sql, &scope).await, rows_in(&without, sql, &scope).await);
        assert_eq!(one, other, "{sql}");
        assert!(!one.contains("globex"), "{sql}: {one}");
    }
    assert_eq!(rows_in(&with, "SELECT count(*) FROM calls", &scope).await, "[[4]]");
    let prices = rows_in(&with, "SELECT price_id FROM prices ORDER BY 1", &scope).await;
    assert_eq!(prices, r#"[["p-acme"],["p-list"]]"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_holds_for_costs_and_for_nobody() {
    let test = TestLake::full().await;
    let engine = test.engine();
    for (tenants, count) in [(vec!["globex"], 2), (vec!["acme", "globex"], 6), (Vec::new(), 0)] {
        let scope = of_tenants(&tenants);
        let counted = rows_in(&engine, "SELECT count(*) FROM calls", &scope).await;
        assert_eq!(counted, format!("[[{count}]]"), "{tenants:?}");
        let request = CostsRequest { scope, ..CostsRequest::default() };
        let mut answer = engine.costs(&request).await.expect("an answer");
        let csv = encode(&mut answer, Format::Csv).await.expect("an answer");
        let csv = String::from_utf8(csv).expect("text");
        assert!(csv.contains(&format!("\r\n{count},")), "{csv}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_failure_tells_no_value() {
    let test = TestLake::full().await;
    let engine = test.engine();
    let sql = "SELECT CAST(event_id AS INT) FROM calls";
    let own = rows_in(&engine, sql, &of_tenants(&["acme"])).await;
    assert_eq!(own, "sql_failed: the query failed while it ran");
    let all = rows(&engine, sql).await;
    assert!(all.starts_with("sql_failed") && all.contains("Cast"), "{all}");
}
