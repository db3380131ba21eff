//! Every column of every table survives the way into a file and back.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;

use super::*;
use crate::anomaly::{Anomaly, Contribution, IncidentState, Scope};
use crate::event::{CallStatus, RejectionCode};
use crate::money::Decimal;
use crate::time::Window;

async fn round_trip(table: &Table, batches: Vec<Batch>) -> RecordBatch {
    let expected = batches.first().expect("a batch").rows.clone();
    let staged = table.write(batches).await.expect("a file");
    let commit = Commit::append(staged, vec![("test".to_owned(), 1)]);
    let outcome = table.commit(&table.snapshot().expect("open"), &commit).await.expect("a commit");
    let Outcome::Committed(snapshot) = outcome else { panic!("{outcome:?}") };
    let files = snapshot.files().await.expect("files");
    let rows = table.read(files.first().expect("a file"), None).await.expect("rows");
    let [found] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(found, &expected);
    expected
}

/// Names of columns that have no value in any row.
fn empty_columns(rows: &RecordBatch) -> Vec<String> {
    let schema = rows.schema();
    let columns = schema.fields().iter().zip(rows.columns());
    columns
        .filter(|(_, column)| column.null_count() == rows.num_rows())
        .map(|(field, _)| field.name().clone())
        .collect()
}

fn full_charge() -> Charge {
    let mut charge = charge("event-1", "acme", now());
    let text = |text: &str| Some(text.to_owned());
    for (index, name) in Who::FIELDS.into_iter().enumerate() {
        *charge.attribution.who.field_mut(name).expect("a field") = Some(format!("who-{index}"));
    }
    charge.attribution.claimed_who.insert("tenant".to_owned(), "globex".to_owned());
    charge.usage.service_tier = text("priority");
    charge.usage.flags.insert("totals_differ");
    let units: BTreeMap<String, Decimal> =
        [("audio_seconds".to_owned(), "12.3456789012345".parse().expect("a decimal"))].into();
    charge.usage.requests.push(Counters { units, ..Counters::default() });
    let cost = &mut charge.cost;
    let amount = |pico| Some(Usd::from_pico(pico));
    (cost.input_cost, cost.cache_cost) = (amount(1_000), amount(2_000));
    (cost.output_cost, cost.fees_cost) = (amount(3_000), amount(1_000));
    cost.list_cost = Some(Usd::COLUMN_MAX);
    cost.computed_cost = Some(Usd::COLUMN_MAX);
    cost.priced_model = text("gpt-5");
    cost.resolution = text("exact");
    cost.price_book_version = text("v1");
    let event = &mut charge.event;
    event.api = text("chat.completions");
    event.request_model = text("gpt-5-latest");
    event.context = Some(Json::Object(vec![("location".to_owned(), Json::Text("eu".to_owned()))]));
    event.operation = text("chat");
    event.region = text("eu-west-1");
    event.deployment = text("prod");
    event.tags.insert("run".to_owned(), "7".to_owned());
    (event.trace_id, event.operation_id) = (text("trace"), text("operation"));
    (event.parent_id, event.step, event.fallback_of) = (text("parent"), text("draft"), text("e-0"));
    event.provider_response_id = text("resp-1");
    event.status = CallStatus::Aborted;
    (event.attempt, event.http_status, event.error_type) = (Some(2), Some(499), text("closed"));
    (event.latency_ms, event.ttft_ms, event.stream) = (Some(1_200), Some(80), Some(true));
    event.reported_cost = Some("2.6000000000000003e-07".parse().expect("a decimal"));
    event.reported_cost_source = text("litellm");
    event.gateway_cache_hit = Some(false);
    charge
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_keep_every_column() {
    let dir = TempDir::new().expect("a directory");
    let lake = open(&dir).await;
    let row = CallRow::new(full_charge(), lineage(41), now()).expect("a row");
    let mut rows = Rows::default();
    rows.push(&row);
    let bare = CallEvent::new("event-2", "gateway-1", now(), "openai", "gpt-5");
    let mut bare = Charge { event: bare, ..charge("event-2", "zenith", now()) };
    bare.usage.requests.clear();
    bare.cost = Cost::unknown(CostStatus::UnknownUsage);
    rows.push(&CallRow::new(bare, lineage(42), now()).expect("a row"));
    assert_eq!(rows.len(), 2);
    let batches = rows.finish().expect("batches");
    assert!(rows.is_empty());
    let read = round_trip(lake.table(TableName::Calls), batches).await;
    assert_eq!(empty_columns(&read), ["revised_at", "revision_reason"]);
    insta::assert_snapshot!("calls_row", spelled_out(&read));
}

/// A line for each value, without the hashes.
fn spelled_out(rows: &RecordBatch) -> String {
    use arrow::util::display::array_value_to_string;
    let mut text = String::new();
    let schema = rows.schema();
    for row in 0..rows.num_rows() {
        for (field, column) in schema.fields().iter().zip(rows.columns()) {
            if column.is_valid(row) && !field.name().ends_with("_hash") {
                let value = array_value_to_string(column, row).expect("a value");
                text += &format!("{}: {value}\n", field.name());
            }
        }
        text += "\n";
    }
    text
}

fn as_json(rows: &RecordBatch) -> serde_json::Value {
    let mut writer = arrow::json::ArrayWriter::new(Vec::new());
    writer.write(rows).expect("rows as JSON");
    writer.finish().expect("rows as JSON");
    serde_json::from_slice(&writer.into_inner()).expect("JSON")
}

#[test]
fn amounts_beyond_their_column_are_rejected_or_remarked() {
    let mut too_dear = charge("event-1", "acme", now());
    too_dear.cost.cost = Some(Usd::from_pico(Usd::COLUMN_MAX.pico() + 1));
    let rejection = CallRow::new(too_dear, lineage(1), now()).expect_err("rejected");
    assert_eq!(rejection.code, RejectionCode::InvalidUsage);
    assert_eq!(rejection.event_id.as_deref(), Some("event-1"));

    let mut reported = charge("event-2", "acme", now());
    reported.event.reported_cost = Some("1e30".parse().expect("a decimal"));
    let mut rows = Rows::default();
    rows.push(&CallRow::new(reported, lineage(2), now()).expect("a row"));
    let batches = rows.finish().expect("batches");
    let json = as_json(&batches.first().expect("a batch").rows);
    let row = json.get(0).expect("a row");
    assert_eq!(row.get("reported_cost_usd"), None);
    assert_eq!(row["flags"], serde_json::json!(["reported_cost_out_of_range"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn revisions_hold_the_rows_of_calls() {
    let dir = TempDir::new().expect("a directory");
    let lake = open(&dir).await;
    let mut rows = Rows::default();
    rows.push(&CallRow::new(full_charge(), lineage(41), now()).expect("a row"));
    let batch = rows.finish().expect("batches").remove(0);
    let revision = Revision {
        revision_id: "revision-1".to_owned(),
        by: "cli".to_owned(),
        at: now(),
        reason: "price of January corrected".to_owned(),
    };
    let revised = revision.rows(Side::Before, &batch.rows).expect("rows");
    let revised = Batch { date: batch.date, rows: revised };
    round_trip(lake.table(TableName::CallRevisions), vec![revised]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_keep_every_column() {
    let dir = TempDir::new().expect("a directory");
    let lake = open(&dir).await;
    let mut rows = Rows::default();
    rows.push(&DeadLetterRow {
        lineage: lineage(7),
        app_id: PARTITION.to_owned(),
        received_at: now(),
        ingested_at: now(),
        reason: RejectionCode::Conflict,
        message: "other content".to_owned(),
        namespace: "local".to_owned(),
        source: Some("gateway-1".to_owned()),
        event_id: Some("event-1".to_owned()),
        tenant: Some("acme".to_owned()),
        occurred_at: Some(now()),
        identity_hash: Some([1; 16]),
        content_hash: [2; 16],
        size_bytes: 740,
        event: Some("{}".to_owned()),
        sender: Some("{}".to_owned()),
        raw: Some(b"{".to_vec()),
        replayed_at: Some(now()),
    });
    let batches = rows.finish().expect("batches");
    let read = round_trip(lake.table(TableName::DeadLetters), batches).await;
    assert_eq!(empty_columns(&read), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn anomalies_prices_and_keys_keep_every_column() {
    let dir = TempDir::new().expect("a directory");
    let lake = open(&dir).await;
    let anomaly = Anomaly {
        anomaly_id: uuid::Uuid::nil(),
        revision: 1,
        state: IncidentState::Open,
        scope: Scope::TenantModel { tenant: "acme".to_owned(), model: "gpt-5".to_owned() },
        detector: "p95x3/1".to_owned(),
        window: Window::hour_of(now()),
        actual: Usd::from_pico(30),
        expected: Usd::from_pico(10),
        threshold: Usd::from_pico(20),
        contributors: vec![Contribution {
            dimension: "model".to_owned(),
            value: "gpt-5".to_owned(),
            excess: Usd::from_pico(20),
            share_percent: 100,
        }],
        explanation: "acme spent three times what it does".to_owned(),
    };
    let mut rows = Rows::default();
    rows.push(&AnomalyRow { anomaly, published_at: now() });
    let read = round_trip(lake.table(TableName::Anomalies), rows.finish().expect("batches")).await;
    assert_eq!(empty_columns(&read), [""; 0]);

    let mut rows = Rows::default();
    rows.push(&PriceRow { price_id: "p1".to_owned(), ..PriceRow::default() });
    round_trip(lake.table(TableName::Prices), rows.finish().expect("batches")).await;

    let mut rows = Rows::default();
    rows.push(&DayCloseRow { closed_at: Some(now()), ..DayCloseRow::default() });
    let closes = lake.table(TableName::DayCloses);
    let read = round_trip(closes, rows.finish().expect("batches")).await;
    assert_eq!(empty_columns(&read), [""; 0]);

    let mut rows = Rows::default();
    rows.push(&key("k1"));
    let read = round_trip(lake.table(TableName::Control), rows.finish().expect("batches")).await;
    assert_eq!(empty_columns(&read), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_an_older_release_gets_its_new_columns() {
    let dir = TempDir::new().expect("a directory");
    let clock = Arc::new(FixedClock(now()));
    let location = super::super::location::Location::open(&config(&dir)).expect("a location");
    let new = TableName::Prices.spec();
    let mut old = new.clone();
    old.columns.retain(|column| column.name != "note" && column.name != "conditions");
    let prices = |note: Option<&str>| {
        let mut rows = Rows::default();
        let note = note.map(str::to_owned);
        rows.push(&PriceRow { price_id: "p1".to_owned(), note, ..PriceRow::default() });
        rows.finish().expect("batches")
    };
    let table = super::super::table::Table::open(old.clone(), &location, clock.clone()).await;
    let table = table.expect("the older table opens");
    let mut rows = prices(None);
    for batch in &mut rows {
        let kept: Vec<usize> = old
            .columns
            .iter()
            .map(|column| batch.rows.schema().index_of(column.name).expect("a column"))
            .collect();
        batch.rows = batch.rows.project(&kept).expect("fewer columns");
    }
    let staged = table.write(rows).await.expect("a file");
    let commit = Commit::append(staged, vec![("prices".to_owned(), 1)]);
    table.commit(&table.snapshot().expect("open"), &commit).await.expect("a commit");

    let table = super::super::table::Table::open(new, &location, clock).await;
    let table = table.expect("the table is widened");
    let staged = table.write(prices(Some("new"))).await.expect("a file");
    let commit = Commit::append(staged, vec![("prices".to_owned(), 2)]);
    let outcome = table.commit(&table.snapshot().expect("open"), &commit).await.expect("a commit");
    assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    let report = Maintenance::new(merging::eager()).run_once(&table).await.expect("a run");
    assert_eq!(report.files_merged, 2);
    let files = table.snapshot().expect("open").files().await.expect("files");
    let rows = table.read(files.first().expect("a file"), Some(&["note"])).await.expect("rows");
    let mut notes: Vec<Option<String>> = rows
        .iter()
        .flat_map(|batch| arrow::array::AsArray::as_string::<i32>(batch.column(0)).iter())
        .map(|note| note.map(str::to_owned))
        .collect();
    notes.sort();
    assert_eq!(notes, [None, Some("new".to_owned())]);
}

pub(super) fn key(key_id: &str) -> ControlRow {
    ControlRow {
        key_id: key_id.to_owned(),
        key_hash: [7; 32],
        prefix: "tm_abc".to_owned(),
        owner: "team-a".to_owned(),
        asserted: BTreeMap::from([("tenant".to_owned(), "acme".to_owned())]),
        scopes: vec!["ingest".to_owned(), "query".to_owned()],
        tenants: Vec::new(),
        claims_allowed: false,
        created_at: now(),
        expires_at: Some(now()),
        revoked_at: Some(now()),
        updated_at: now(),
        note: Some("first".to_owned()),
    }
}
