//! Questions as people ask them: by the clocks of a place, about the data's quality, about a price;
//! and who may listen where.

use serde_json::{Value, json};

use crate::events;
use crate::server::{Server, output, tokenmeter};

fn event(id: &str, at: &str, model: &str) -> String {
    json!({"event_id": id, "source": "clocks", "occurred_at": at, "provider": "openai",
        "api": "chat.completions", "model": model, "tenant": "acme",
        "usage": {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}})
    .to_string()
}

/// The lines of a table, their cells apart.
fn cells(text: &str) -> Vec<Vec<&str>> {
    text.lines().skip(2).map(|line| line.split_whitespace().collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_and_a_server_answer_alike_by_any_clocks() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("data");
    // Both clock changes of New York, the last hour of each day and the first of the next.
    let lines = [
        event("s-1", "2026-03-08T05:00:00Z", "gpt-4o-mini"),
        event("s-2", "2026-03-09T03:59:59Z", "gpt-4o-mini"),
        event("s-3", "2026-03-09T04:00:00Z", "gpt-4o-mini"),
        event("a-1", "2026-11-01T04:00:00Z", "gpt-4o-mini"),
        event("a-2", "2026-11-02T04:59:59Z", "gpt-4o-mini"),
        event("a-3", "2026-11-02T05:00:00Z", "house-model"),
        event("a-4", "2026-11-02T06:00:00Z", "gpt-4o-mini").replace("\"acme\"", "null"),
    ];
    let file = events::written(dir.path(), &lines);
    output(tokenmeter(&data).args(["ingest", "--max-age", "4000d"]).arg(&file));
    let zone = ["--time-zone", "America/New_York"];
    let ask = |arguments: &[&str]| output(tokenmeter(&data).args(arguments));
    let days = ask(&[&["costs", "--interval", "day"][..], &zone].concat());
    let told: Vec<(String, String)> =
        cells(&days).iter().take(4).map(|row| (row[1].to_owned(), row[2].to_owned())).collect();
    let day = |start: &str, calls: &str| (start.to_owned(), calls.to_owned());
    let expected = [
        day("2026-03-08T00:00:00-05:00", "2"),
        day("2026-03-09T00:00:00-04:00", "1"),
        day("2026-11-01T00:00:00-04:00", "2"),
        day("2026-11-02T00:00:00-05:00", "2"),
    ];
    assert_eq!(told, expected, "{days}");
    let one = ["costs", "--since", "2026-11-01", "--until", "2026-11-02"];
    let one = ask(&[&one[..], &zone].concat());
    assert_eq!(cells(&one)[0][0], "2", "{one}");
    let named = ["query", "cost_by_day", "--param", "America/New_York", "--param", "to=2026-06-01"];
    let named = ask(&named);
    assert_eq!(cells(&named)[0][..2], ["2026-03-08", "2"], "{named}");
    let nobody = "unattributed: 1 calls (14.28 %), 1100 tokens (14.28 %), 0.00021 USD: `tenant` is \
                  not known of these";
    assert!(days.lines().any(|line| line == nobody), "{days}");
    let quality = ask(&["costs", "--quality", "--where", "tenant=acme"]);
    for words in ["unpriced_by_model: ", "house-model", "freshness: ", "late_events: "] {
        assert!(quality.contains(words), "{words}: {quality}");
    }
    let csv = ask(&["costs", "--by", "model", "--format", "csv"]);
    assert!(csv.starts_with("model,calls,") && !csv.contains("total: "), "{csv}");
    let explained = ask(&["prices", "explain", "--event", "a-1"]);
    // The same by a server over the same tables.
    let server = Server::start(&data, &[]).await;
    assert_eq!(ask(&[&["costs", "--interval", "day"][..], &zone].concat()), days);
    assert_eq!(
        ask(&[
            "query",
            "cost_by_day",
            "--param",
            "time_zone=America/New_York",
            "--param",
            "to=2026-06-01"
        ]),
        named
    );
    let again = ask(&["costs", "--quality", "--where", "tenant=acme"]);
    let figures = |text: &str| text.split("freshness").next().unwrap_or_default().to_owned();
    assert_eq!(figures(&again), figures(&quality));
    assert_eq!(ask(&["prices", "explain", "--event", "a-1"]), explained);
    let document = server.get("/v1/prices/explain?event_id=a-1").await.expect("an answer");
    let document: Value = serde_json::from_str(&document).expect("JSON");
    let explanation = &document["calls"][0]["explanation"];
    let text = explanation["text"].as_str().expect("text");
    assert!(explained.starts_with(text), "{explained}\n{text}");
    assert_eq!(document["calls"][0]["agrees"], true);
    assert_eq!(explanation["cost_usd"], document["calls"][0]["stored"]["cost_usd"]);
    // Pages and earlier versions reach the processes that questions run in.
    let page = async |path: &str| -> Value {
        let answer = server.get(path).await.unwrap_or_else(|| panic!("{path}"));
        serde_json::from_str(&answer).expect("JSON")
    };
    let first = page("/v1/costs?group_by=model&limit=1").await;
    let token = first["page_token"].as_str().expect("another page");
    let second = page(&format!("/v1/costs?group_by=model&limit=1&page_token={token}")).await;
    assert_eq!((&first["rows"][0][0], &first["has_more"]), (&json!("gpt-4o-mini"), &json!(true)));
    assert_eq!(
        (&second["rows"][0][0], &second["has_more"]),
        (&json!("house-model"), &json!(false))
    );
    assert_eq!(page("/v1/costs?group_by=model&versions=calls=0").await["rows"], json!([]));
    let zone = "Pacific/Chatham";
    let path = format!("/v1/costs?interval=hour&time_zone={zone}&group_by=model");
    assert!(server.get(&path).await.is_some(), "workers know the zones, too");
    server.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_others_can_reach_starts_with_a_key_only() {
    let dir = tempfile::tempdir().expect("a folder");
    let listen = ("TOKENMETER_API__LISTEN", "0.0.0.0:0");
    let mut serve = tokenmeter(dir.path());
    serve.arg("serve").env(listen.0, listen.1);
    let refused = serve.output().expect("it runs");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("tokenmeter keys create"), "{said}");
    let key = "0123456789abcdef0123456789abcdef";
    let server = Server::start(dir.path(), &[listen, ("TOKENMETER_FIRST_KEY", key)]).await;
    let client = reqwest::Client::new();
    let url = format!("{}/v1/costs", server.url);
    let without = client.get(&url).send().await.expect("an answer");
    assert_eq!(without.status().as_u16(), 401);
    let with = client.get(&url).bearer_auth(key).send().await.expect("an answer");
    assert_eq!(with.status().as_u16(), 200);
    server.terminate();
}
