//! Answers as JSON, NDJSON and CSV.

use futures::StreamExt;

use super::*;

const ODD: &str = "SELECT '=1+1' AS formula, '-1' AS minus, -1.5 AS number, NULL AS nothing,
    'a \"quoted\", cell' AS quoted, true AS yes, arrow_cast('NaN', 'Float64') AS nan,
    TIMESTAMP '2026-11-23T01:02:03.000004Z' AS at, DATE '2026-11-23' AS day,
    X'00ff' AS bytes, make_array(1, NULL) AS list, map(['k'], [0.10]) AS map,
    CAST('0.000000000001' AS DECIMAL(18, 12)) AS pico, 9223372036854775807 AS big";

async fn text(engine: &QueryEngine, sql: &str, format: Format) -> String {
    let mut answer = engine.ask(&SqlRequest::new(sql)).await.expect("an answer");
    String::from_utf8(encode(&mut answer, format).await.expect("bytes")).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_value_is_exact() {
    let test = TestLake::empty().await;
    let engine = test.engine();
    let json = text(&engine, ODD, Format::Json).await;
    let csv = text(&engine, ODD, Format::Csv).await;
    let ndjson = text(&engine, ODD, Format::Ndjson).await;
    insta::assert_snapshot!("formats", format!("{json}\n\n{ndjson}\n{csv}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn cells_that_a_spreadsheet_would_run_are_made_safe_unless_asked_otherwise() {
    let test = TestLake::empty().await;
    let engine = test.engine();
    for begin in ["=", "+", "-", "@", "\t", "\r", "\n"] {
        let request = SqlRequest {
            parameters: vec![format!("{begin}cmd").as_str().into()],
            ..SqlRequest::new("SELECT $1 AS cell, -1.5 AS less, -7 AS whole")
        };
        let shown = async |format| {
            let mut answer = engine.ask(&request).await.expect("an answer");
            String::from_utf8(encode(&mut answer, format).await.expect("bytes")).expect("text")
        };
        let quoted = |cell: String, when: bool| if when { format!("\"{cell}\"") } else { cell };
        let breaks = matches!(begin, "\r" | "\n");
        let safe = quoted(format!("'{begin}cmd"), breaks);
        let raw = quoted(format!("{begin}cmd"), breaks);
        let head = "cell,less,whole\r\n";
        assert_eq!(shown(Format::Csv).await, format!("{head}{safe},-1.5,-7\r\n"));
        assert_eq!(shown(Format::CsvRaw).await, format!("{head}{raw},-1.5,-7\r\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_the_lake_keep_their_maps_and_times() {
    let test = TestLake::full().await;
    let sql = "SELECT event_id, occurred_at, cost_usd, tags, other_tokens, flags, date,
        identity_hash IS NOT NULL AS hashed FROM calls WHERE event_id IN ('e3', 'e4') ORDER BY 1";
    insta::assert_snapshot!("lake_rows", text(&test.engine(), sql, Format::Ndjson).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn arrow_and_parquet_keep_their_types() {
    use arrow::array::RecordBatch;
    let test = TestLake::full().await;
    let engine = test.engine();
    for sql in [ODD, "SELECT event_id, occurred_at, cost_usd, tags FROM calls ORDER BY 1"] {
        let request = SqlRequest::new(sql);
        let wanted = engine.ask(&request).await.expect("an answer").collect().await.expect("rows");
        let encoded = async |format| {
            let mut answer = engine.ask(&request).await.expect("an answer");
            encode(&mut answer, format).await.expect("bytes")
        };
        let arrow = encoded(Format::Arrow).await;
        let stream = arrow_ipc::reader::StreamReader::try_new(arrow.as_slice(), None);
        let read: Vec<RecordBatch> = stream.expect("a stream").map(|b| b.expect("rows")).collect();
        assert_eq!(read, wanted, "{sql}");
        let parquet = bytes::Bytes::from(encoded(Format::Parquet).await);
        let file = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(parquet, 8_192);
        let read: Vec<RecordBatch> = file.expect("a file").map(|b| b.expect("rows")).collect();
        for (read, wanted) in read.iter().zip(&wanted) {
            assert_eq!(read.num_rows(), wanted.num_rows(), "{sql}");
            let same = read.schema().fields().iter().zip(wanted.schema().fields().iter()).all(
                |(read, wanted)| {
                    read.name() == wanted.name() && read.data_type() == wanted.data_type()
                },
            );
            assert!(same || sql == ODD, "{:?}", read.schema());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_fails_late_ends_with_an_error_line() {
    let test = TestLake::full().await;
    let engine = test.engine_with(QueryConfig { threads: 1, ..QueryConfig::default() });
    // Batches of rows before the one that fails.
    let sql = "SELECT 10 / (20000 - row_number() OVER ()) AS x
               FROM calls a, calls b, calls c, calls d, calls e, calls f";
    let answer = engine.ask(&SqlRequest::new(sql)).await.expect("an answer");
    let lines: Vec<Vec<u8>> = match ndjson(answer).await {
        Ok(lines) => lines.collect().await,
        Err(error) => panic!("failed before the first row: {error}"),
    };
    let lines = String::from_utf8(lines.concat()).expect("text");
    let last = lines.lines().last().unwrap_or_default();
    assert!(last.starts_with(r#"{"error":{"code":"sql_failed","#), "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_cut_off_says_so() {
    let test = TestLake::full().await;
    let request =
        SqlRequest { limit: Some(1), ..SqlRequest::new("SELECT event_id FROM calls ORDER BY 1") };
    let answer = test.engine().ask(&request).await.expect("an answer");
    let lines: Vec<Vec<u8>> = ndjson(answer).await.expect("lines").collect().await;
    let lines = String::from_utf8(lines.concat()).expect("text");
    assert_eq!(lines, "{\"event_id\":\"e1\"}\n{\"truncated\":true}\n");
}
