//! The document of `GET /openapi.json` against the router that it describes.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use serde_json::Value;

use super::Server;
use super::access::make;
use crate::api::keys::KeyScope;

const OPEN: [&str; 5] = ["/healthz", "/metrics", "/openapi.json", "/readyz", "/version"];

/// Every address of the router, as its file has them.
fn addresses() -> BTreeSet<String> {
    let file = include_str!("../router.rs");
    let rest = file.split(".route(").skip(1);
    rest.map(|rest| rest.split('"').nth(1).expect("a path in quotes").to_owned()).collect()
}

fn asked(path: &str) -> String {
    let parts = path.split('/');
    let parts = parts.map(|part| if part.starts_with('{') { "x" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// What an address takes, by what it says to a method that it does not take.
async fn methods(server: &Server, path: &str) -> BTreeSet<String> {
    let answer = server.ask("PATCH", &asked(path), &[], Body::empty()).await;
    assert_eq!(answer.status, 405, "{path}: {}", answer.text());
    let allowed = answer.header("allow").split(',').map(|name| name.trim().to_owned());
    allowed.filter(|name| name != "HEAD").collect()
}

fn described(document: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let paths = document["paths"].as_object().expect("paths").iter();
    let operations = |item: &Value| {
        let names = item.as_object().expect("an item").keys().map(|name| name.to_uppercase());
        names.collect()
    };
    paths.map(|(path, item)| (path.clone(), operations(item))).collect()
}

#[tokio::test]
async fn every_route_is_described_and_nothing_else() {
    let server = Server::new().await;
    let document = server.get("/openapi.json", &[]).await.json();
    let described = described(&document);
    let addresses = addresses();
    assert!(addresses.len() > 20, "{addresses:?}");
    assert_eq!(described.keys().cloned().collect::<BTreeSet<_>>(), addresses);
    for path in &addresses {
        assert_eq!(described[path], methods(&server, path).await, "{path}");
    }
    // No route is made anywhere else.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/api");
    for file in std::fs::read_dir(folder).expect("a folder") {
        let path = file.expect("a file").path();
        if path.is_file() && !path.ends_with("router.rs") {
            let text = std::fs::read_to_string(&path).expect("text");
            assert!(!text.contains(".route("), "{}", path.display());
        }
    }
}

/// Every reference of a document.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn what_the_document_refers_to_is_there_and_errors_are_problems() {
    let server = Server::new().await;
    let document = server.get("/openapi.json", &[]).await.json();
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 10, "{found:?}");
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("a reference within");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for scheme in ["bearer", "api_key"] {
        assert!(document["components"]["securitySchemes"][scheme].is_object(), "{scheme}");
    }
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let told = ["summary", "description"].iter().any(|name| operation[name].is_string());
            assert!(told, "{method} {path} says nothing");
            let name = operation["operationId"].as_str().expect("an id");
            assert!(names.insert(name.to_owned()), "`{name}` is there twice");
            for status in ["4XX", "5XX"] {
                let problem = &operation["responses"][status]["$ref"];
                assert_eq!(problem, "#/components/responses/problem", "{method} {path}");
            }
            assert_eq!(operation["security"].is_array(), !OPEN.contains(&path.as_str()), "{path}");
        }
    }
}

/// The promise of the document's `security`: without a key nothing but these routes answers.
#[tokio::test]
async fn no_route_answers_without_a_key_but_those_that_say_so() {
    let server = Server::new().await;
    let document = server.get("/openapi.json", &[]).await.json();
    make(&server, &[KeyScope::Admin], |_| {}).await;
    for (path, methods) in described(&document) {
        for method in methods {
            let headers = [("content-type", "application/json")];
            let answer = server.ask(&method, &asked(&path), &headers, Body::from("{}")).await;
            if OPEN.contains(&path.as_str()) {
                assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text());
            } else {
                answer.is_problem(401, "unauthenticated");
            }
        }
    }
}
