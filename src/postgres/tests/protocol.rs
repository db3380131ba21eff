//! Statements, portals, transactions, limits and errors, as clients rely on them.

use std::time::Duration;

use super::client::{Client, Message, cancel, code, rows};
use super::wire::Wire;
use crate::api::tests::fixture::Answer;
use crate::query::QueryConfig;

/// Longer than any test waits.
const LONG: &str = "SELECT count(*) FROM calls a, calls b, calls c, calls d, calls e, calls f, \
    calls g, calls h, calls i, calls j WHERE a.cost_usd + j.cost_usd > 99999";

fn kinds(messages: &[Message]) -> String {
    messages.iter().map(|message| message.kind).collect()
}

/// The transaction's state that the server tells at the end: idle, in one, or in a failed one.
fn state(messages: &[Message]) -> char {
    char::from(messages.last().expect("an answer").body[0])
}

fn tags(messages: &[Message]) -> Vec<String> {
    let ended = messages.iter().filter(|message| message.kind == 'C');
    ended.map(|tag| String::from_utf8_lossy(&tag.body).trim_end_matches('\0').into()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_of_statements_is_answered_in_order_until_one_fails() {
    let wire = Wire::full(QueryConfig::default()).await;
    let (mut client, _) = wire.of_acme().await;
    let answer = client.ask("BEGIN; SELECT count(*) FROM calls; SHOW timezone; COMMIT").await;
    assert_eq!(rows(&answer), [["4"], ["UTC"]]);
    assert_eq!(tags(&answer), ["BEGIN", "SELECT 1", "SHOW 1", "COMMIT"]);
    assert_eq!(state(&answer), 'I');
    let failed = client.ask("BEGIN; SELECT nothing FROM calls; SELECT 1").await;
    assert_eq!((code(&failed).as_str(), tags(&failed).len(), state(&failed)), ("42703", 1, 'E'));
    assert_eq!(code(&client.ask("SELECT 1").await), "25P02");
    let ended = client.ask("COMMIT").await;
    assert_eq!((tags(&ended), state(&ended)), (vec!["ROLLBACK".to_owned()], 'I'));
    for empty in ["", ";", "-- ping", " ; ;\n"] {
        assert_eq!(kinds(&client.ask(empty).await), "IZ", "{empty}");
    }
    let set = client.ask("SET TIME ZONE 'Europe/Berlin'; SET search_path TO public").await;
    assert_eq!(kinds(&set), "NCCZ");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_the_codes_that_clients_know() {
    let wire = Wire::full(QueryConfig::default()).await;
    let (mut client, _) = wire.of_acme().await;
    for (sql, expected) in [
        ("SELEC 1", "42601"),
        ("SELECT 'open", "42601"),
        ("SELECT nothing FROM calls", "42703"),
        ("SELECT 1 FROM nowhere", "42P01"),
        ("SELECT no_such_function(1)", "42883"),
        ("SELECT tenant, count(*) FROM calls", "42803"),
        ("DELETE FROM calls", "25006"),
        ("CREATE TABLE a (b int)", "25006"),
        ("COPY calls TO STDOUT", "0A000"),
        ("SELECT CAST(team AS INT) FROM calls", "22000"),
        ("SELECT 1 / (source_offset - source_offset) FROM calls", "22000"),
        ("SHOW no_such_setting", "42704"),
        ("SET client_encoding = 'LATIN1'", "22023"),
        ("DECLARE c CURSOR FOR SELECT 1", "0A000"),
    ] {
        assert_eq!(code(&client.ask(sql).await), expected, "{sql}");
        let prepared = client.execute(sql, &[], 0).await;
        assert_eq!(code(&prepared), expected, "{sql}, prepared: {prepared:?}");
    }
    // No value of a row is told, as over HTTP.
    let failed = client.ask("SELECT CAST(team AS INT) FROM calls").await;
    let error = failed.iter().find(|message| message.kind == 'E').expect("an error");
    assert_eq!(error.field('M'), "the query failed while it ran");
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_bound_and_portals_read_in_parts() {
    let wire = Wire::full(QueryConfig::default()).await;
    let (mut client, _) = wire.of_acme().await;
    let sql = "SELECT event_id FROM calls WHERE cost_usd > $1 AND occurred_at < $2 ORDER BY 1";
    let answer = client.execute(sql, &["1.0", "2026-11-30 00:00:00+00"], 0).await;
    assert_eq!(rows(&answer), [["e1"], ["e3"]], "{answer:?}");
    assert_eq!(kinds(&answer), "12TDDCZ");
    let any = "SELECT event_id FROM calls WHERE team = ANY($1) ORDER BY event_id LIMIT $2";
    assert_eq!(rows(&client.execute(any, &["{search}", "1"], 0).await), [["e1"]]);
    let limited = "SELECT event_id FROM calls WHERE team = ANY($1) ORDER BY event_id LIMIT $2";
    assert_eq!(code(&client.execute(limited, &["{search}", "x"], 0).await), "22P02");
    let wrong = client.execute("SELECT $1::int + 1", &["1", "2"], 0).await;
    assert_eq!(code(&wrong), "08P01");
    // Three rows, then the rest, then none.
    let all = "SELECT event_id FROM calls ORDER BY event_id";
    client.send(b'P', format!("\0{all}\0\0\0").as_bytes()).await;
    client.send(b'B', &[0; 8]).await;
    for rows in [3, 0, 0] {
        client.fetch(rows).await;
    }
    client.send(b'S', b"").await;
    let parts = client.until_ready().await;
    assert_eq!(kinds(&parts), "12DDDsDCCZ");
    assert_eq!(rows(&parts), [["e1"], ["e2"], ["e3"], ["e4"]]);
    // With the transaction the portal is gone.
    client.fetch(0).await;
    client.send(b'S', b"").await;
    assert_eq!(code(&client.until_ready().await), "34000");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_that_nobody_reads_on_gives_its_place_back() {
    let wire = Wire::full(QueryConfig::default()).await;
    let (mut client, key) = wire.of_acme().await;
    client.ask("BEGIN; SET statement_timeout = '400ms'").await;
    client.send(b'P', b"\0SELECT event_id FROM calls\0\0\0").await;
    client.send(b'B', &[0; 8]).await;
    client.fetch(1).await;
    client.send(b'S', b"").await;
    let part = client.until_ready().await;
    assert_eq!(kinds(&part), "12DsZ");
    while wire.server.get("/v1/queries", &[("x-api-key", key.as_str())]).await.text() != "[]" {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // What had come already is still given.
    client.fetch(0).await;
    client.send(b'S', b"").await;
    let rest = client.until_ready().await;
    assert_eq!((rows(&rest).len(), code(&rest).as_str()), (3, "57014"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_cut_off_ends_with_an_error() {
    let config = QueryConfig { rows_max: 2, ..QueryConfig::default() };
    let wire = Wire::full(config).await;
    let (mut client, _) = wire.of_acme().await;
    let cut = client.ask("SELECT event_id FROM calls ORDER BY 1").await;
    assert_eq!((rows(&cut).len(), code(&cut).as_str(), tags(&cut).len()), (2, "54000", 0));
    assert_eq!(code(&client.ask("SELECT event_id FROM calls LIMIT 2").await), "");
    // Names are not kept without end either.
    for number in 0..400 {
        client.send(b'P', format!("s{number}\0SELECT 1\0\0\0").as_bytes()).await;
        client.send(b'S', b"").await;
        let kept = client.until_ready().await;
        if code(&kept) == "54000" {
            assert_eq!(number, 256);
            assert_eq!(code(&client.ask("DISCARD ALL").await), "");
            return;
        }
    }
    panic!("statements are kept without end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_message_is_its_own_clients_error() {
    let wire = Wire::full(QueryConfig::default()).await;
    let (mut other, key) = wire.of_acme().await;
    let u32s = |numbers: &[u32]| numbers.iter().flat_map(|n| n.to_be_bytes()).collect::<Vec<u8>>();
    // Each is a message whose inside ends too early, or counts more than there is.
    let malformed: [(u8, Vec<u8>); 9] = [
        (b'P', Vec::new()),
        (b'P', b"\0SELECT 1\0\x7f\xff".to_vec()),
        (b'P', b"\0SELECT 1\0\0\x02\0".to_vec()),
        (b'B', b"\0\0\xff\xff".to_vec()),
        (b'B', [b"\0\0\0\0\0\x01".to_vec(), u32s(&[1 << 30])].concat()),
        (b'D', Vec::new()),
        (b'E', b"\0\0".to_vec()),
        (b'C', Vec::new()),
        (b'Q', Vec::new()),
    ];
    let strangers = [u32s(&[4]), u32s(&[5, 0]), u32s(&[8, 196_608]), u32s(&[12, 80_877_102, 1])];
    for (kind, body) in malformed {
        let mut client = wire.client(Some(&key)).await.expect("let in");
        client.send(kind, &body).await;
        client.send(b'S', b"").await;
        let told = client.until_ready().await;
        let what = format!("{} {body:?}: {told:?}", char::from(kind));
        let is_error = matches!(code(&told).as_str(), "08P01" | "42601" | "26000" | "34000");
        assert!(is_error || kinds(&told) == "IZ", "{what}");
    }
    for start in strangers {
        let told = Client::say(wire.address, &start).await;
        assert!(told.is_none_or(|told| told.kind == 'E'), "{start:?}");
    }
    assert_eq!(rows(&other.ask("SELECT count(*) FROM calls").await), [["4"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_shown_and_ends_when_it_is_cancelled_left_or_too_long() {
    let wire = Wire::full(QueryConfig::default()).await;
    let (mut client, key) = wire.of_acme().await;
    let headers = [("x-api-key", key.as_str())];
    let name = client.name.clone();
    let mut wrong = name.clone();
    *wrong.last_mut().expect("a secret") ^= 1;
    let shown = async |is_shown: bool| loop {
        let list: Answer = wire.server.get("/v1/queries", &headers).await;
        if list.text().contains("99999") == is_shown {
            return list.json();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let cancelling = async {
        shown(true).await;
        cancel(wire.address, &wrong).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        shown(true).await;
        cancel(wire.address, &name).await;
    };
    let (ended, ()) = tokio::join!(client.ask(LONG), cancelling);
    assert_eq!(code(&ended), "57014");
    // By its id, over HTTP.
    let cancelling = async {
        let list = shown(true).await;
        let path = format!("/v1/queries/{}", list[0]["query_id"].as_str().expect("an id"));
        let none = axum::body::Body::empty();
        wire.server.ask("DELETE", &path, &headers, none).await.status
    };
    let (ended, status) = tokio::join!(client.ask(LONG), cancelling);
    assert_eq!((code(&ended).as_str(), status.as_u16()), ("57014", 204));
    // By its own limit of time.
    let timed = client.ask(&format!("SET statement_timeout = '150ms'; {LONG}")).await;
    assert_eq!(code(&timed), "57014");
    // By its client's leaving.
    let (mut other, _) = wire.of_acme().await;
    other.send(b'Q', format!("{LONG}\0").as_bytes()).await;
    let admin = wire.key(&[crate::api::keys::KeyScope::Admin], |_| {}).await;
    let running = async || {
        let list = wire.server.get("/v1/queries", &[("x-api-key", admin.as_str())]).await;
        list.text().contains("99999")
    };
    while !running().await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(other);
    while running().await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
