//! Prices and explanations: what a tenant sees, with neighbours and without.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::access::make;
use super::{Answer, Server};
use crate::api::keys::KeyScope;
use crate::attribution::{Rules, RulesConfig, Sender};
use crate::charge;
use crate::event::{CallEvent, Json, Lineage, Who};
use crate::lake::{CallRow, TableName};
use crate::pipeline::Books;
use crate::pricing::{Config, PriceBook};
use crate::query::tests::lake::{TABLE, TestLake, dead_letter};
use crate::query::{QUALITY, QUESTIONS};
use crate::time::Timestamp;

const LIST: &str = r#"
    provider = "acme-ai"
    source_url = "https://example.com/pricing"
    fetched_at = 2026-11-01
    effective_from = 2026-01-01
    [[model]]
    name = "m-x"
    rates = { input_text = "2", output_text = "8" }
    factors = { cache_read_text = "0.1" }
"#;
const OWN: &str = r#"
    layer = "override"
    fetched_at = 2026-11-01
    effective_from = 2026-01-01
    [[model]]
    provider = "acme-ai"
    name = "m-x"
    tenant = "acme"
    rates = { output_text = "7" }
"#;
const THEIRS: &str = r#"
    layer = "override"
    fetched_at = 2026-11-01
    effective_from = 2026-01-01
    [[model]]
    provider = "acme-ai"
    name = "m-x"
    tenant = "globex"
    rates = { output_text = "5" }
    [[model]]
    provider = "acme-ai"
    name = "secret-model"
    tenant = "globex"
    rates = { input_text = "1", output_text = "1" }
"#;

fn books(folder: &Path, texts: &[(&str, &str)]) -> Books {
    let write = |(name, text): &(&str, &str)| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("written");
        path
    };
    let books = texts.iter().map(write).collect();
    Books::open(&Config { books, ..Config::default() }).expect("books")
}

fn metered(id: &str, source: &str, tenant: &str, model: &str, book: &PriceBook) -> CallRow {
    let at: Timestamp = "2026-11-21T10:00:00Z".parse().expect("a time");
    let mut event = CallEvent::new(id, source, at, "acme-ai", model);
    event.api = Some("chat.completions".to_owned());
    event.usage_dialect = Some("openai/chat.completions".to_owned());
    let usage = json!({"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100,
        "prompt_tokens_details": {"cached_tokens": 400}});
    event.usage = Some(Json::parse(usage.to_string().as_bytes()).expect("JSON"));
    let asserted = Who { tenant: Some(tenant.to_owned()), ..Who::default() };
    let sender = Sender { namespace: "gateway".to_owned(), asserted, claims_allowed: false };
    let rules = Rules::new(&RulesConfig::default()).expect("rules");
    let charge = charge::meter(event, book, &rules, &sender).expect("metered");
    let offset = i64::from(id.len() as u32 + source.len() as u32);
    let lineage = Lineage { topic: "t".to_owned(), partition: 0, offset, index: 0 };
    CallRow::new(charge, lineage, at.plus_seconds(3)).expect("a row")
}

struct House {
    server: Server,
    acme: String,
    admin: String,
    _parts: (TestLake, tempfile::TempDir),
}

impl House {
    /// Calls and terms of `acme`, alone or beside those of `globex`.
    async fn new(with_neighbours: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let lake = TestLake::empty().await;
        let own = books(folder.path(), &[("list.toml", LIST), ("own.toml", OWN)]);
        let book = own.current();
        let mut rows = vec![
            metered("call-1", "gateway-1", "acme", "m-x", &book),
            metered("call-2", "gateway-1", "acme", "m-x", &book),
            metered("call-3", "gateway-1", "acme", "secret-model", &book),
        ];
        let mut letters = vec![dead_letter("acme")];
        let mut loaded = own;
        if with_neighbours {
            let all = [("list.toml", LIST), ("own.toml", OWN), ("theirs.toml", THEIRS)];
            loaded = books(folder.path(), &all);
            let book = loaded.current();
            rows.insert(0, metered("call-1", "gateway-2", "globex", "m-x", &book));
            rows.insert(2, metered("theirs", "gateway-2", "globex", "secret-model", &book));
            letters.extend([dead_letter("globex"), dead_letter("globex")]);
        }
        lake.write(TABLE, rows, 1).await;
        lake.write(TableName::DeadLetters, letters, 1).await;
        let engine = Arc::new(lake.engine());
        let server = Server::with(|state| {
            state.engine = Some(engine);
            state.books = Some(loaded);
        });
        let server = server.await;
        let admin = make(&server, &[KeyScope::Admin], |_| {}).await;
        let acme = make(&server, &[KeyScope::Query], |key| {
            key.tenants.insert("acme".to_owned());
        });
        let acme = acme.await;
        Self { server, acme, admin, _parts: (lake, folder) }
    }

    async fn get(&self, key: &str, path: &str) -> Answer {
        self.server.get(path, &[("x-api-key", key), ("x-request-id", "one")]).await
    }
}

/// Every route that answers questions by its URL, with what it takes.
fn paths() -> Vec<String> {
    let mut paths: Vec<String> = [
        "/v1/prices?provider=acme-ai",
        "/v1/prices?model=m-x&at=2026-11-21",
        "/v1/prices?model=secret-model",
        "/v1/prices?provider=acme-ai&limit=2",
        "/v1/prices/explain?event_id=call-1",
        "/v1/prices/explain?event_id=call-1&source=gateway-2",
        "/v1/prices/explain?event_id=call-1&namespace=gateway&source=gateway-1",
        "/v1/prices/explain?event_id=call-3",
        "/v1/prices/explain?event_id=theirs",
        "/v1/prices/explain?model=m-x&at=2026-11-21",
        "/v1/prices/explain?model=m-x&provider=acme-ai",
        "/v1/prices/explain?model=secret-model",
        "/v1/prices/explain?model=secret-model&provider=acme-ai",
        "/v1/costs?group_by=tenant,model,source&interval=day&time_zone=Europe/Berlin",
        "/v1/costs?group_by=tenant&filter.tenant=globex",
        "/v1/anomalies?since=2026-01-01",
        "/v1/questions",
        "/v1/quality",
        "/v1/quality?filter.tenant=globex",
        "/v1/quality?filter.team=x",
        "/v1/quality?from=2026-11-21&to=2026-11-22&time_zone=America/New_York",
    ]
    .map(str::to_owned)
    .to_vec();
    paths.extend(QUALITY.map(|name| format!("/v1/quality?metric={name}&format=csv")));
    paths.extend(QUESTIONS.iter().map(|question| {
        let at = if question.name == "billed_then_and_now" { "?at=2026-11-23" } else { "" };
        format!("/v1/questions/{}{at}", question.name)
    }));
    paths
}

#[tokio::test(flavor = "multi_thread")]
async fn neighbours_change_nothing_of_what_a_tenant_is_answered() {
    let (alone, beside) = (House::new(false).await, House::new(true).await);
    for path in paths() {
        let one = alone.get(&alone.acme, &path).await;
        let other = beside.get(&beside.acme, &path).await;
        assert_eq!((one.status, one.text()), (other.status, other.text()), "{path}");
        assert!(one.status.as_u16() < 500, "{path}: {}", one.text());
        let names_it = path.contains("globex") || path == "/v1/questions";
        assert!(names_it || !other.text().contains("globex"), "{path}: {}", other.text());
    }
    // The administrator sees both.
    let prices = beside.get(&beside.admin, "/v1/prices?provider=acme-ai").await.text();
    assert!(prices.contains("secret-model") && prices.contains("globex"), "{prices}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_explained_by_row_formula_and_every_factor() {
    let house = House::new(true).await;
    let answer = house.get(&house.acme, "/v1/prices/explain?event_id=call-1").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let document = answer.json();
    let calls = document["calls"].as_array().expect("calls");
    assert_eq!(calls.len(), 1, "the other of this id is another tenant's");
    let call = &calls[0];
    assert_eq!((&call["tenant"], &call["source"]), (&json!("acme"), &json!("gateway-1")));
    // 600 x 2 + 400 x 0.2 + 100 x 7 per million.
    assert_eq!(call["stored"]["cost_usd"], "0.00198");
    assert_eq!(call["agrees"], true);
    let explanation = &call["explanation"];
    assert_eq!(explanation["cost_usd"], "0.00198");
    let formulas: Vec<&str> = explanation["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|line| line["formula"].as_str().expect("a formula"))
        .collect();
    let expected = [
        "600 x 2 USD per 1000000 = 0.0012 USD",
        "400 x 2 USD per 1000000 x 0.1 = 0.00008 USD",
        "100 x 7 USD per 1000000 = 0.0007 USD",
    ];
    assert_eq!(formulas, expected);
    let row = &explanation["lines"][2]["row"];
    assert_eq!((&row["tenant"], &row["layer"]), (&json!("acme"), &json!("own.toml")));
    let base = &explanation["lines"][1]["base"];
    assert_eq!(
        (&base["amount"], &base["source_url"]),
        (&json!("2"), &json!("https://example.com/pricing"))
    );
    assert!(explanation["text"].as_str().expect("text").contains("override for acme price"));
    assert!(!answer.header("x-price-book-version").is_empty());
    // Who sees all has both, and tells them apart.
    let both = house.get(&house.admin, "/v1/prices/explain?event_id=call-1").await.json();
    assert_eq!(both["calls"].as_array().map(Vec::len), Some(2));
    let one = "/v1/prices/explain?event_id=call-1&source=gateway-2";
    let one = house.get(&house.admin, one).await.json();
    assert_eq!(one["calls"][0]["tenant"], "globex");
    assert_eq!(one["calls"][0]["stored"]["cost_usd"], "0.00178");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_models_prices_are_those_of_ones_own() {
    let house = House::new(true).await;
    let path = "/v1/prices/explain?model=m-x&at=2026-11-21";
    let amounts = |document: &Value| -> Vec<String> {
        let rows = document["models"][0]["rows"].as_array().expect("rows");
        rows.iter().map(|row| row["amount"].as_str().expect("an amount").to_owned()).collect()
    };
    let own = house.get(&house.acme, path).await.json();
    let all = house.get(&house.admin, path).await.json();
    assert!(amounts(&own).contains(&"7".to_owned()) && !amounts(&own).contains(&"5".to_owned()));
    assert!(amounts(&all).contains(&"5".to_owned()), "{all}");
    for (path, status, code) in [
        ("/v1/prices/explain?model=secret-model", 404, "not_found"),
        ("/v1/prices/explain?event_id=theirs", 404, "not_found"),
        ("/v1/prices/explain?event_id=nothing", 404, "not_found"),
        ("/v1/prices/explain", 400, "invalid_request"),
        ("/v1/prices/explain?event_id=a&model=b", 400, "invalid_request"),
        ("/v1/prices/explain?event_id=a&at=2026-11-21", 400, "invalid_request"),
        ("/v1/prices/explain?model=m-x&at=yesterday", 400, "invalid_request"),
        ("/v1/prices?form=csv", 400, "invalid_request"),
    ] {
        house.get(&house.acme, path).await.is_problem(status, code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_come_in_pages_of_one_book() {
    let house = House::new(true).await;
    let path = "/v1/prices?provider=acme-ai";
    let whole = house.get(&house.admin, path).await.json();
    let whole = whole["rows"].as_array().expect("rows").clone();
    assert!(whole.len() > 4, "{whole:?}");
    let mut rows = Vec::new();
    let mut next = format!("{path}&limit=2");
    loop {
        let document = house.get(&house.admin, &next).await.json();
        rows.extend(document["rows"].as_array().expect("rows").clone());
        let Some(token) = document["page_token"].as_str() else { break };
        next = format!("{path}&limit=2&page_token={token}");
    }
    assert_eq!(rows, whole);
    // Another key sees another book: its pages are not those.
    let first = house.get(&house.admin, &format!("{path}&limit=2")).await.json();
    let token = first["page_token"].as_str().expect("another page");
    let answer = house.get(&house.acme, &format!("{path}&limit=2&page_token={token}")).await;
    answer.is_problem(400, "invalid_request");
}
