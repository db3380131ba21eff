//! Who gets in, and as whom.

use axum::body::Body;
use serde_json::{Value, json};

use super::{Answer, Server};
use crate::api::keys::{KeyScope, NewKey};

pub async fn make(
    server: &Server,
    scopes: &[KeyScope],
    change: impl FnOnce(&mut NewKey),
) -> String {
    let mut new = NewKey { owner: "acme".into(), ..NewKey::default() };
    new.scopes.extend(scopes);
    change(&mut new);
    server.app.state.keys.create(new).await.expect("a key").1.reveal().to_owned()
}

async fn keys(server: &Server, headers: &[(&str, &str)]) -> Answer {
    server.get("/v1/keys", headers).await
}

#[tokio::test]
async fn without_keys_this_machine_gets_in_and_nobody_else() {
    let server = Server::new().await;
    for host in ["127.0.0.1:7070", "localhost:7070", "localhost", "[::1]:7070"] {
        assert_eq!(keys(&server, &[("host", host)]).await.status, 200, "{host}");
    }
    keys(&server, &[("host", "evil.example")]).await.is_problem(401, "unauthenticated");
    let page = [("host", "127.0.0.1:7070"), ("origin", "https://evil.example")];
    keys(&server, &page).await.is_problem(401, "unauthenticated");
    let open = Server::with(|state| state.config.listen = "0.0.0.0:7070".parse().expect("one"));
    keys(&open.await, &[]).await.is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn the_first_key_closes_the_door_for_those_without() {
    let server = Server::new().await;
    let request = json!({ "owner": "ops", "scopes": ["admin"], "label": "first" });
    let made = server.post("/v1/keys", &[], &request.to_string()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let (key, id) = (made.json()["key"].clone(), made.json()["key_id"].clone());
    let (key, id) = (key.as_str().expect("a key"), id.as_str().expect("an id"));
    let answer = keys(&server, &[]).await;
    answer.is_problem(401, "unauthenticated");
    assert!(answer.header("www-authenticate").starts_with("Bearer"));
    let bearer = format!("Bearer {key}");
    for headers in [("authorization", bearer.as_str()), ("x-api-key", key)] {
        let list = keys(&server, &[headers]).await;
        assert_eq!(list.status, 200);
        assert!(!list.text().contains(key) && list.json()[0]["key_id"] == id);
    }
    keys(&server, &[("x-api-key", &format!("{key}0"))]).await.is_problem(401, "unauthenticated");
    let path = format!("/v1/keys/{id}");
    let gone = server.ask("DELETE", &path, &[("x-api-key", key)], Body::empty()).await;
    assert_eq!((gone.status.as_u16(), &gone.json()["live"]), (200, &Value::Bool(false)));
    // Revoked, and the door stays closed for everyone.
    keys(&server, &[("x-api-key", key)]).await.is_problem(401, "unauthenticated");
    keys(&server, &[]).await.is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn scopes_and_ends_are_kept() {
    let server = Server::new().await;
    let ingest = make(&server, &[KeyScope::Ingest], |_| {}).await;
    let tenants = ["acme".to_owned()].into();
    let query = make(&server, &[KeyScope::Query], |new| new.tenants = tenants).await;
    let now = server.now();
    let expired = make(&server, &[KeyScope::Admin], |new| new.expires_at = Some(now)).await;
    for key in [&ingest, &query] {
        keys(&server, &[("x-api-key", key)]).await.is_problem(403, "forbidden");
    }
    let answer = keys(&server, &[("x-api-key", &expired)]).await;
    answer.is_problem(401, "unauthenticated");
    assert!(answer.json()["detail"].as_str().is_some_and(|why| why.contains("expired")));
}

#[tokio::test]
async fn keys_that_make_no_sense_are_refused() {
    let server = Server::new().await;
    for request in [
        json!({ "owner": "", "scopes": ["admin"] }),
        json!({ "owner": "local", "scopes": ["admin"] }),
        json!({ "owner": "acme", "scopes": [] }),
        json!({ "owner": "acme", "scopes": ["query"] }),
        json!({ "owner": "acme", "scopes": ["admin"], "tenants": ["a"] }),
        json!({ "owner": "acme", "scopes": ["ingest"], "asserted": { "nobody": "x" } }),
        json!({ "owner": "acme", "scopes": ["ingest"], "expires_at": "tomorrow" }),
        json!({ "owner": "acme", "scopes": ["ingest"], "tenant": "a" }),
    ] {
        let answer = server.post("/v1/keys", &[], &request.to_string()).await;
        answer.is_problem(400, "invalid_request");
    }
    assert!(server.app.state.keys.is_empty());
}

#[tokio::test]
async fn a_key_from_the_environment_is_kept_once() {
    let server = Server::new().await;
    let ring = &server.app.state.keys;
    assert!(ring.ensure_first("short").await.is_err());
    let text = "0123456789abcdef0123456789abcdef";
    let first = ring.ensure_first(text).await.expect("a key");
    assert_eq!(ring.ensure_first(text).await.expect("the same"), first);
    assert_eq!(ring.records().len(), 1);
    assert_eq!(keys(&server, &[("x-api-key", text)]).await.status, 200);
}
