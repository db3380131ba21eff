//! SQL and costs over HTTP.

use std::sync::Arc;

use serde_json::json;

use super::access::make;
use super::{Answer, Server};
use crate::api::keys::KeyScope;
use crate::query::QueryConfig;
use crate::query::tests::lake::TestLake;

/// A server over a small lake, with the key of an admin and of `acme`.
pub(super) async fn server(config: QueryConfig) -> (TestLake, Server, String, String) {
    let lake = TestLake::full().await;
    let engine = Arc::new(lake.engine_with(config));
    let server = Server::with(|state| state.engine = Some(engine)).await;
    let admin = make(&server, &[KeyScope::Admin], |_| {}).await;
    let acme = make(&server, &[KeyScope::Query], |key| {
        key.tenants.insert("acme".to_owned());
    });
    let acme = acme.await;
    (lake, server, admin, acme)
}

pub(super) async fn sql(server: &Server, key: &str, body: serde_json::Value) -> Answer {
    server.post("/v1/sql", &[("x-api-key", key)], &body.to_string()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_is_answered_in_the_wanted_format() {
    let (_lake, server, admin, _) = server(QueryConfig::default()).await;
    let question = "SELECT event_id, cost_usd FROM calls WHERE tenant = $1 ORDER BY 1 LIMIT 1";
    let body = json!({"sql": question, "params": ["globex"]});
    let answer = sql(&server, &admin, body.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["rows"], json!([["e5", "0.00004"]]));
    assert_eq!(answer.json()["truncated"], false);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("x-table-versions"), "calls=8");
    assert!(!answer.header("x-query-id").is_empty() && !answer.header("x-request-id").is_empty());

    let headers = [("x-api-key", admin.as_str()), ("accept", "text/csv")];
    let csv = server.post("/v1/sql", &headers, &body.to_string()).await;
    assert_eq!(csv.text(), "event_id,cost_usd\r\ne5,0.00004\r\n");
    let mut lines = body;
    lines["format"] = json!("ndjson");
    let lines = sql(&server, &admin, lines).await;
    assert_eq!(lines.header("content-type"), "application/x-ndjson");
    assert_eq!(lines.text(), "{\"event_id\":\"e5\",\"cost_usd\":\"0.00004\"}\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn columnar_formats_come_as_files() {
    let (_lake, server, _, acme) = server(QueryConfig::default()).await;
    for (format, media_type, magic) in [
        ("arrow", "application/vnd.apache.arrow.stream", &b"\xff\xff\xff\xff"[..]),
        ("parquet", "application/vnd.apache.parquet", &b"PAR1"[..]),
    ] {
        let body = json!({"sql": "SELECT event_id, cost_usd FROM calls", "format": format});
        let named = sql(&server, &acme, body).await;
        let headers = [("x-api-key", acme.as_str()), ("accept", media_type)];
        let body = json!({"sql": "SELECT event_id, cost_usd FROM calls"}).to_string();
        let accepted = server.post("/v1/sql", &headers, &body).await;
        for answer in [named, accepted] {
            assert_eq!(answer.header("content-type"), media_type);
            assert!(answer.bytes.starts_with(magic), "{format}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_answered_is_a_problem() {
    let config = QueryConfig { rows_max: 3, ..QueryConfig::default() };
    let (_lake, server, admin, acme) = server(config).await;
    sql(&server, "", json!({"sql": "SELECT 1"})).await.is_problem(401, "unauthenticated");
    for (body, status, code) in [
        (json!({"sql": "DELETE FROM calls"}), 400, "query_refused"),
        (json!({"sql": "SELECT nothing FROM calls"}), 400, "query_refused"),
        (json!({"sql": "SELECT $1", "params": [[1]]}), 400, "invalid_request"),
        (json!({"sq": "SELECT 1"}), 400, "invalid_request"),
        (json!({"sql": "SELECT sum(1 / (source_offset - 1)) FROM calls"}), 422, "query_failed"),
    ] {
        sql(&server, &admin, body).await.is_problem(status, code);
    }
    let secret = sql(&server, &acme, json!({"sql": "SELECT CAST(event_id AS INT) FROM calls"}));
    let secret = secret.await;
    secret.is_problem(422, "query_failed");
    assert_eq!(secret.json()["detail"], "the query failed while it ran");
    let cut = sql(&server, &admin, json!({"sql": "SELECT event_id FROM calls"})).await;
    assert_eq!((cut.header("x-truncated"), cut.status.as_u16()), ("true", 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_sees_its_tenants_rows_only() {
    let (_lake, server, admin, acme) = server(QueryConfig::default()).await;
    let tenants = json!({"sql": "SELECT DISTINCT tenant FROM calls ORDER BY 1"});
    let all = sql(&server, &admin, tenants.clone()).await;
    assert_eq!(all.json()["rows"], json!([["acme"], ["globex"], ["unattributed"]]));
    assert_eq!(sql(&server, &acme, tenants).await.json()["rows"], json!([["acme"]]));
    let control = sql(&server, &acme, json!({"sql": "SELECT * FROM control"})).await;
    control.is_problem(400, "query_refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn costs_are_grouped_and_filtered_by_the_url() {
    let (_lake, server, admin, acme) = server(QueryConfig::default()).await;
    let get = async |path: &str, key: &str| {
        let headers = [("x-api-key", key), ("accept", "text/csv")];
        server.get(path, &headers).await
    };
    let path = "/v1/costs?group_by=team,model&interval=day&from=2026-11-22T00:00:00Z\
                &filter.tenant=acme";
    let answer = get(path, &admin).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        answer.text(),
        "period_start,team,model,calls,priced_calls,unpriced_calls,cost_usd,total_input_tokens,\
         total_output_tokens,unpriced_tokens\r\n\
         2026-11-22T00:00:00Z,chat,claude-5,1,1,0,3.000001,2807,50,\r\n\
         2026-11-22T00:00:00Z,chat,mystery-1,1,0,1,,2907,50,2957\r\n"
    );
    let own = get("/v1/costs?group_by=tenant", &acme).await.text();
    assert!(own.contains("\r\nacme,4,") && !own.contains("globex"), "{own}");
    let wrong = get("/v1/costs?group_by=taem", &admin).await;
    wrong.is_problem(400, "invalid_request");
    assert!(wrong.text().contains("`team`"), "{}", wrong.text());
    get("/v1/costs?interval=fortnight", &admin).await.is_problem(400, "invalid_request");
    get("/v1/costs?group_by=team&group_by=model", &admin).await.is_problem(400, "invalid_request");
    get("/v1/costs?form=csv", &admin).await.is_problem(400, "invalid_request");
    assert_eq!(get("/v1/anomalies", &acme).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_listed_and_answered_by_name() {
    let (_lake, server, admin, acme) = server(QueryConfig::default()).await;
    let get = async |path: &str, key: &str| server.get(path, &[("x-api-key", key)]).await;
    let listed = get("/v1/questions", &acme).await.json();
    let listed = listed.as_array().expect("a list");
    let month = listed.iter().find(|it| it["name"] == "month_to_date").expect("the question");
    assert!(month["question"].as_str().is_some_and(|question| question.ends_with('?')));
    assert_eq!(month["parameters"][0]["name"], "day");
    assert_eq!(month["parameters"][0]["default"], "today");
    assert_eq!(month["columns"][3]["name"], "run_rate_usd");
    assert!(month["sql"].as_str().is_some_and(|sql| sql.contains("FROM calls")));
    let answer = get("/v1/questions/month_to_date?day=2026-11-23", &acme).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["rows"][0][2], "4.500001", "{}", answer.text());
    // Today is the server's: the 22nd.
    let today = get("/v1/questions/month_to_date", &admin).await.json();
    assert_eq!(today["rows"].as_array().map(Vec::len), Some(3), "{today}");
    let path = "/v1/questions/cost_by_team?filter.model=gpt-5&to=2026-11-22&format=csv";
    let narrowed = get(path, &acme).await.text();
    assert_eq!(narrowed, "team,calls,cost_usd,usd_per_call,percent\r\nsearch,2,1.5,0.75,100\r\n");
    for (path, status, code) in [
        ("/v1/questions/nothing", 404, "not_found"),
        ("/v1/questions/month_to_date?day=soon", 400, "invalid_request"),
        ("/v1/questions/month_to_date?dya=2026-11-23", 400, "invalid_request"),
        ("/v1/questions/revisions?filter.team=x", 400, "invalid_request"),
        ("/v1/questions/cost_by_team?format=xls", 400, "invalid_request"),
        ("/v1/quality?metric=nothing", 400, "invalid_request"),
        ("/v1/quality?format=csv", 406, "not_acceptable"),
    ] {
        get(path, &acme).await.is_problem(status, code);
    }
    let picky = [("x-api-key", acme.as_str()), ("accept", "text/html")];
    let answer = server.get("/v1/questions/cost_by_team", &picky).await;
    answer.is_problem(406, "not_acceptable");
}

#[tokio::test(flavor = "multi_thread")]
async fn quality_has_every_metric_and_says_what_it_cannot_tell() {
    let (_lake, server, admin, acme) = server(QueryConfig::default()).await;
    let get = async |path: &str, key: &str| server.get(path, &[("x-api-key", key)]).await;
    let all = get("/v1/quality", &admin).await;
    assert_eq!(all.status, 200, "{}", all.text());
    let all = all.json();
    let metrics = all["metrics"].as_array().expect("metrics");
    let names: Vec<&str> = metrics.iter().filter_map(|metric| metric["metric"].as_str()).collect();
    assert_eq!(names, crate::query::QUALITY);
    let of = |document: &serde_json::Value, name: &str| {
        let metrics = document["metrics"].as_array().expect("metrics");
        metrics.iter().find(|metric| metric["metric"] == name).expect("the metric").clone()
    };
    assert_eq!(
        of(&all, "priced_share")["rows"][0],
        json!(["priced", 6, "75", 10742, "74.3082", "5.205041"])
    );
    assert_eq!(of(&all, "unattributed_spend")["rows"][0][3], "0.005");
    let own = get("/v1/quality?filter.tenant=acme&to=2026-11-22", &acme).await.json();
    assert_eq!(of(&own, "priced_share")["rows"][0][1], 2);
    let by_team = get("/v1/quality?filter.team=search", &acme).await.json();
    let letters = of(&by_team, "dead_letters_by_reason");
    assert!(letters["why"].as_str().is_some_and(|why| why.contains("`tenant`")), "{letters}");
    assert_eq!(of(&by_team, "priced_share")["rows"][0][1], 2, "the others are told");
    let one = get("/v1/quality?metric=priced_share&format=csv", &acme).await.text();
    assert!(one.starts_with("cost_status,calls,share_of_calls,"), "{one}");
    get("/v1/quality?filter.taem=x", &acme).await.is_problem(400, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_values_are_values_and_nothing_else() {
    let (_lake, server, admin, _) = server(QueryConfig::default()).await;
    let before = sql(&server, &admin, json!({"sql": "SELECT count(*) FROM calls"})).await.text();
    let hostile = [
        "'",
        "\"",
        "' OR 1=1 --",
        "acme'/*",
        "\0",
        "\u{202e}",
        "$1",
        "%00",
        "a\r\nb",
        "\\",
        "9999999999999999999999999999",
        "-1e999",
        "😀",
        "unattributed' OR tenant = 'acme",
    ];
    for value in hostile {
        let body =
            json!({"sql": "SELECT count(*) FROM calls WHERE tenant = $1", "params": [value]});
        let answer = sql(&server, &admin, body).await;
        assert_eq!(answer.json()["rows"], json!([[0]]), "{value}");
        let term: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        for path in [
            format!("/v1/costs?group_by=team&filter.tenant={term}"),
            format!("/v1/questions/cost_by_tenant?filter.team={term}"),
            format!("/v1/questions/duplicates?filter.source={term}"),
        ] {
            let answer = server.get(&path, &[("x-api-key", &admin)]).await;
            assert_eq!(answer.json()["rows"], json!([]), "{path}");
        }
        for path in [
            format!("/v1/costs?group_by={term}"),
            format!("/v1/costs?filter.{term}=x"),
            format!("/v1/costs?from={term}"),
            format!("/v1/costs?interval=day&time_zone={term}"),
            format!("/v1/costs?page_token={term}"),
            format!("/v1/costs?{term}=x"),
            format!("/v1/questions/cost_by_day?time_zone={term}"),
            format!("/v1/questions/top_movers?day={term}"),
            format!("/v1/quality?metric={term}"),
            format!("/v1/anomalies?since={term}"),
        ] {
            let answer = server.get(&path, &[("x-api-key", &admin)]).await;
            answer.is_problem(400, "invalid_request");
        }
    }
    for number in ["1e999", "123456789012345678901234567890123456789012", "-0"] {
        let body = format!(r#"{{"sql": "SELECT $1", "params": [{number}]}}"#);
        let answer = server.post("/v1/sql", &[("x-api-key", &admin)], &body).await;
        assert!(answer.status.as_u16() < 500, "{number}: {}", answer.text());
    }
    let after = sql(&server, &admin, json!({"sql": "SELECT count(*) FROM calls"})).await.text();
    assert_eq!(before, after);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_fails_late_says_so_in_its_last_line() {
    let (_lake, server, admin, _) =
        server(QueryConfig { threads: 1, ..QueryConfig::default() }).await;
    let late = "SELECT 10 / (20000 - row_number() OVER ()) AS x
                FROM calls a, calls b, calls c, calls d, calls e, calls f";
    let answer = sql(&server, &admin, json!({"sql": late, "format": "ndjson"})).await;
    assert_eq!(answer.status, 200, "the first rows were on their way");
    let text = answer.text();
    let last: serde_json::Value =
        serde_json::from_str(text.lines().last().expect("lines")).expect("JSON");
    assert_eq!(last["error"]["code"], "sql_failed", "{last}");
    // In one piece it is a problem, and no part of an answer.
    let whole = sql(&server, &admin, json!({"sql": late, "format": "csv"})).await;
    whole.is_problem(422, "query_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keys_of_an_owner_live_side_by_side_until_one_is_revoked() {
    let (_lake, server, admin, old) = server(QueryConfig::default()).await;
    let tenants = |key: &mut crate::api::keys::NewKey| {
        key.tenants.insert("acme".to_owned());
    };
    let new = make(&server, &[KeyScope::Query], tenants).await;
    let ask = async |key: &str| server.get("/v1/costs", &[("x-api-key", key)]).await;
    for key in [&old, &new] {
        assert_eq!(ask(key).await.status, 200);
    }
    let id = server.app.state.keys.admit(&old).expect("a key").key_id;
    let headers = [("x-api-key", admin.as_str())];
    let path = format!("/v1/keys/{id}");
    let gone = server.ask("DELETE", &path, &headers, axum::body::Body::empty()).await;
    assert_eq!(gone.status, 200);
    let refused = ask(&old).await;
    refused.is_problem(401, "unauthenticated");
    assert!(refused.text().contains("revoked"), "{}", refused.text());
    assert_eq!(ask(&new).await.status, 200);
    let now = server.now();
    let expired = make(&server, &[KeyScope::Query], |key| {
        tenants(key);
        key.expires_at = Some(now);
    });
    let refused = ask(&expired.await).await;
    refused.is_problem(401, "unauthenticated");
    assert!(refused.text().contains("expired"), "{}", refused.text());
}
