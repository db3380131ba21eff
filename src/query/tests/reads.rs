//! What a statement may be, and what it sees of the tables.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn anything_but_one_read_is_refused() {
    let test = TestLake::full().await;
    let engine = test.engine();
    let refused = [
        "INSERT INTO calls SELECT * FROM calls",
        "UPDATE calls SET tenant = 'x'",
        "DELETE FROM calls",
        "TRUNCATE TABLE calls",
        "DROP TABLE calls",
        "CREATE TABLE x AS SELECT 1",
        "CREATE VIEW x AS SELECT 1",
        "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE SCHEMA x",
        "COPY calls TO '/tmp/x.csv'",
        "COPY (SELECT 1) TO '/tmp/x.csv'",
        "SET datafusion.execution.batch_size = 1",
        "RESET datafusion.execution.batch_size",
        "SHOW ALL",
        "EXPLAIN DELETE FROM calls",
        "PREPARE x AS SELECT 1",
        "EXECUTE x",
        "BEGIN",
        "SELECT 1 INTO x",
        "WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT * FROM r",
        "WITH x AS (DELETE FROM calls RETURNING *) SELECT * FROM x",
    ];
    for sql in refused {
        let error = engine.ask(&SqlRequest::new(sql)).await.expect_err(sql);
        assert!(matches!(error.code(), "not_read_only" | "sql_invalid"), "{sql}: {error:?}");
    }
    for (sql, part) in [
        ("", "there is no statement"),
        ("SELECT 1; SELECT 2", "2 statements"),
        ("SELECT tenat FROM calls", "tenat"),
        ("SELECT * FROM cals", "cals"),
        ("SELECT * FROM '/etc/passwd'", "passwd"),
        ("SELECT repeat('a', 2147483647)", "repeat"),
        ("SELEC 1", "SELEC"),
    ] {
        let error = engine.ask(&SqlRequest::new(sql)).await.expect_err(sql);
        assert_eq!(error.code(), "sql_invalid", "{sql}");
        assert!(error.to_string().contains(part), "{sql}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_is_shown() {
    let test = TestLake::full().await;
    let engine = test.engine();
    let names = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' \
                 ORDER BY 1";
    let all = rows(&engine, names).await;
    let expected = concat!(
        r#"[["anomalies"],["call_revisions"],["calls"],["control"],["day_closes"],"#,
        r#"["dead_letters"],["prices"]]"#
    );
    assert_eq!(all, expected);
    let own = rows_in(&engine, names, &of_tenants(&["acme"])).await;
    assert_eq!(own, all.replace(r#",["control"],["day_closes"]"#, ""));
    assert!(rows(&engine, "SHOW TABLES").await.contains(r#""dead_letters""#));
    for sql in ["DESCRIBE calls", "SHOW COLUMNS FROM calls"] {
        let described = rows(&engine, sql).await;
        assert!(described.contains("cost_usd") && described.contains("Decimal128(18, 12)"));
    }
    let plan = rows(&engine, "EXPLAIN SELECT tenant FROM calls").await;
    assert!(plan.contains("TableScan: calls") && !plan.contains("parquet"), "{plan}");
    for sql in ["EXPLAIN ANALYZE SELECT * FROM calls", "EXPLAIN VERBOSE SELECT * FROM calls"] {
        let told = rows(&engine, sql).await;
        assert!(told.contains("calls"), "{sql}: {told}");
        let refused = rows_in(&engine, sql, &of_tenants(&["acme"])).await;
        assert!(refused.starts_with("not_read_only"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_question_reads_the_newest_versions() {
    let test = TestLake::with(|call| call.0 == "e1").await;
    let engine = test.engine();
    let question = SqlRequest::new("SELECT count(*) FROM calls");
    let mut answer = engine.ask(&question).await.expect("an answer");
    assert_eq!(row_count(&answer.collect().await.expect("rows")), 1);
    let before = answer.versions;
    test.write(lake::TABLE, vec![lake::call_row(&lake::CALLS[1], 1)], 9).await;
    let document = ask(&engine, &question).await.expect("an answer");
    assert_eq!(document.get("rows").expect("rows").to_string(), "[[2]]");
    let after = engine.ask(&question).await.expect("an answer").versions;
    assert_eq!(before.len(), 1);
    assert_eq!(after[0].1, before[0].1 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_by_date_time_and_text_find_the_same_rows_as_no_pruning() {
    let test = TestLake::full().await;
    let engine = test.engine();
    for (filter, found) in [
        ("date = DATE '2026-11-21'", r#"[["e1"],["e2"],["e5"],["e8"]]"#),
        ("date > '2026-11-21'", r#"[["e3"],["e4"],["e6"],["e7"]]"#),
        ("occurred_at = TIMESTAMP '2026-11-21T01:00:00.000001Z'", r#"[["e1"]]"#),
        ("occurred_at > TIMESTAMP '2026-11-22T04:00:00Z'", r#"[["e7"]]"#),
        ("tenant = 'globex'", r#"[["e5"],["e6"]]"#),
        ("tenant LIKE 'glo%' AND date = '2026-11-22'", r#"[["e6"]]"#),
        ("cost_usd >= 1.25", r#"[["e1"],["e3"]]"#),
        ("cost_usd IS NULL", r#"[["e4"],["e8"]]"#),
        ("team IS NULL", r#"[["e5"],["e7"],["e8"]]"#),
        ("source_offset IN (0, 7)", r#"[["e1"],["e8"]]"#),
        ("date = '1999-01-01'", "[]"),
    ] {
        let sql = format!("SELECT event_id FROM calls WHERE {filter} ORDER BY 1");
        assert_eq!(rows(&engine, &sql).await, found, "{filter}");
        let unpruned = filter.replace("date ", "date + INTERVAL '0 day' ");
        let sql = format!("SELECT event_id FROM calls WHERE {unpruned} ORDER BY 1");
        assert_eq!(rows(&engine, &sql).await, found, "{unpruned}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_matter_are_not_read() {
    use super::super::scan::prune;
    use datafusion::prelude::{SessionContext, col, lit};
    let test = TestLake::full().await;
    let table = test.lake.table(lake::TABLE);
    let files = table.snapshot().expect("open").files().await.expect("files");
    let schema = crate::query::views::viewed(&table.spec().table_schema());
    let state = SessionContext::new().state();
    let count = |filter| prune(&files, &schema, &[filter], &state).expect("pruned").len();
    assert_eq!(files.len(), 8);
    assert_eq!(count(col("tenant").eq(lit("globex"))), 2);
    assert_eq!(count(col("tenant").eq(lit("globexx"))), 0);
    assert_eq!(
        count(col("date").eq(lit(datafusion::scalar::ScalarValue::Date32(Some(20_778))))),
        4
    );
    assert_eq!(count(col("source_offset").gt(lit(5_i64))), 2);
    // The log's time is cut to the millisecond: a microsecond later may still be there.
    let instant = |text: &str| {
        let micros = Some(lake::at(text).micros());
        lit(datafusion::scalar::ScalarValue::TimestampMicrosecond(micros, Some("UTC".into())))
    };
    let late = instant("2026-11-22T04:00:00.000001Z");
    assert_eq!(count(col("occurred_at").gt_eq(late)), 1);
    assert_eq!(count(col("team").eq(lit("chat"))), 8, "no statistics: every file is read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_up_finds_its_rows_in_fresh_files_and_in_merged_ones() {
    use crate::lake::{Maintenance, MaintenanceConfig};
    let test = TestLake::full().await;
    let engine = test.engine();
    let table = test.lake.table(lake::TABLE);
    let merge_every = crate::setting::Span::millis(0);
    let merge = MaintenanceConfig { merge_every, ..MaintenanceConfig::default() };
    for merged in [false, true] {
        if merged {
            let report = Maintenance::new(merge.clone()).run_once(table).await.expect("a run");
            assert_eq!(report.files_merged, 8);
        }
        let found = async |scope: &Scope, filter: &str| {
            let sql = format!("SELECT event_id, tenant FROM calls WHERE {filter} ORDER BY 1");
            rows_in(&engine, &sql, scope).await
        };
        let all = Scope::All;
        let one = r#"[["e3","acme"]]"#;
        assert_eq!(found(&all, "event_id = 'e3'").await, one);
        assert_eq!(found(&all, "event_id = 'e3' AND date = DATE '2026-11-22'").await, one);
        assert_eq!(found(&all, "event_id = 'e3' AND date = DATE '2026-11-21'").await, "[]");
        assert_eq!(found(&all, "event_id = 'e3' AND tenant = 'globex'").await, "[]");
        assert_eq!(found(&all, "event_id = 'e3' AND cost_usd > 3").await, one);
        assert_eq!(found(&all, "event_id = 'e3' AND cost_usd > 4").await, "[]");
        assert_eq!(found(&all, "event_id = 'e33'").await, "[]");
        let two = r#"[["e3","acme"],["e5","globex"]]"#;
        assert_eq!(found(&all, "event_id = 'e3' OR event_id = 'e5'").await, two);
        assert_eq!(found(&of_tenants(&["acme"]), "event_id = 'e3'").await, one);
        assert_eq!(found(&of_tenants(&["globex"]), "event_id = 'e3'").await, "[]");
        assert_eq!(
            found(&of_tenants(&["globex"]), "true").await,
            r#"[["e5","globex"],["e6","globex"]]"#
        );
        assert_eq!(found(&of_tenants(&["unattributed"]), "true").await, "[]");
        let counted = rows(&engine, "SELECT count(*) FROM calls WHERE event_id = 'e3'").await;
        assert_eq!(counted, "[[1]]");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_bound() {
    let test = TestLake::full().await;
    let engine = test.engine();
    let ask_with = async |sql: &str, values: Value| {
        let values = values.as_array().expect("a list").iter().map(parameter);
        let parameters = values.collect::<Result<Vec<_>, _>>().expect("parameters");
        let request = SqlRequest { parameters, ..SqlRequest::new(sql) };
        match ask(&engine, &request).await {
            Ok(document) => document.get("rows").expect("rows").to_string(),
            Err(error) => error.code().to_owned(),
        }
    };
    let by_tenant = "SELECT count(*) FROM calls WHERE tenant = $1";
    assert_eq!(ask_with(by_tenant, serde_json::json!(["acme"])).await, "[[4]]");
    assert_eq!(ask_with(by_tenant, serde_json::json!(["' OR 1=1 --"])).await, "[[0]]");
    assert_eq!(ask_with(by_tenant, serde_json::json!([])).await, "sql_invalid");
    let at_least = "SELECT event_id FROM calls WHERE cost_usd >= $1 AND date >= $2 ORDER BY 1";
    let values = serde_json::json!([3.000001, "2026-11-21"]);
    assert_eq!(ask_with(at_least, values).await, r#"[["e3"]]"#);
    let since = "SELECT count(*) FROM calls WHERE occurred_at >= $1 LIMIT $2";
    assert_eq!(ask_with(since, serde_json::json!(["2026-11-22T00:00:00Z", 1])).await, "[[4]]");
    assert!(parameter(&serde_json::json!({"a": 1})).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_parameters_are_never_read_as_sql() {
    let test = TestLake::full().await;
    let engine = test.engine();
    let long = "x".repeat(100_000);
    let hostile = [
        "'",
        "''",
        "\"",
        "\\",
        "' OR '1'='1",
        "acme'; DROP TABLE calls; --",
        "/* */",
        "--",
        "\0",
        "acme\0",
        "$1",
        "$2",
        ":tenant",
        "?",
        "\u{202e}emca",
        "acme\u{200b}",
        "\u{fffd}",
        "😀",
        "NULL",
        "\r\n\t",
        "%",
        "_",
        long.as_str(),
    ];
    for value in hostile {
        let request = SqlRequest {
            parameters: vec![parameter(&value.into()).expect("a parameter")],
            ..SqlRequest::new("SELECT count(*) FILTER (WHERE tenant = $1), max($1) FROM calls")
        };
        let document = ask(&engine, &request).await.expect("an answer");
        assert_eq!(document["rows"], serde_json::json!([[0, value]]));
    }
    // Numbers: what fits is exact, what does not is refused or fails, and nothing is rounded.
    for (number, told) in [
        ("9223372036854775807", Some(serde_json::json!([[i64::MAX]]))),
        ("18446744073709551615", Some(serde_json::json!([["18446744073709551615"]]))),
        ("-0.000000000001", Some(serde_json::json!([["-0.000000000001"]]))),
        ("123456789012345678901234567890123456789", None),
    ] {
        let read = serde_json::from_str::<Value>(number).ok();
        let bound = read.and_then(|value| parameter(&value).ok());
        let rows = match bound {
            Some(bound) => {
                let parameters = vec![bound];
                let request = SqlRequest { parameters, ..SqlRequest::new("SELECT $1") };
                ask(&engine, &request).await.ok().map(|document| document["rows"].clone())
            }
            None => None,
        };
        assert!(rows == told || told.is_none(), "{number}: {rows:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_version_is_read_as_long_as_it_is_there() {
    let test = TestLake::full().await;
    let engine = test.engine();
    let at_version = async |version: u64, scope: Scope| {
        let versions = vec![(lake::TABLE, version)];
        let sql = "SELECT count(*) FROM calls";
        let request = SqlRequest { versions, scope, ..SqlRequest::new(sql) };
        match engine.ask(&request).await {
            Ok(mut answer) => {
                assert_eq!(answer.versions, [(lake::TABLE, version)]);
                let document = encode(&mut answer, Format::Json).await.expect("bytes");
                let document: Value = serde_json::from_slice(&document).expect("JSON");
                document["rows"].to_string()
            }
            Err(error) => error.to_string(),
        }
    };
    // A commit each, after the one that made the table.
    for (version, count) in [(0, "[[0]]"), (3, "[[3]]"), (8, "[[8]]")] {
        assert_eq!(at_version(version, Scope::All).await, count);
    }
    assert_eq!(at_version(5, of_tenants(&["globex"])).await, "[[1]]");
    let gone = at_version(99, of_tenants(&["globex"])).await;
    assert!(gone.starts_with("version 99 of `calls` is not there"), "{gone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_begins_where_the_one_before_ended() {
    let test = TestLake::full().await;
    let engine = test.engine();
    let mut seen = Vec::new();
    for offset in [0, 3, 6] {
        let sql = "SELECT event_id FROM calls ORDER BY 1";
        let request = SqlRequest { offset, limit: Some(3), ..SqlRequest::new(sql) };
        let mut answer = engine.ask(&request).await.expect("an answer");
        let document = encode(&mut answer, Format::Json).await.expect("bytes");
        let document: Value = serde_json::from_slice(&document).expect("JSON");
        assert_eq!(answer.truncated(), offset < 6);
        let rows = document["rows"].as_array().expect("rows").clone();
        seen.extend(rows.into_iter().map(|row| row[0].as_str().expect("an id").to_owned()));
    }
    assert_eq!(seen, ["e1", "e2", "e3", "e4", "e5", "e6", "e7", "e8"]);
}
