//! Front doors: what is durable, what is answered, and what never gets in.

use std::io::Write;
use std::sync::atomic::Ordering;

use axum::body::Body;
use serde_json::{Value, json};

use super::access::make;
use super::{Answer, Server};
use crate::api::keys::KeyScope;
use crate::event::{Envelope, EnvelopeBody};

const CANARY: &str = "the canary sang at midnight";

fn event(id: usize) -> Value {
    json!({
        "event_id": format!("call-{id}"),
        "source": "gateway-1",
        "occurred_at": "2026-11-22T11:59:00Z",
        "provider": "openai",
        "api": "chat.completions",
        "model": "gpt-4o-mini",
        "usage": { "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15 },
        "messages": [{ "role": "user", "content": CANARY }],
    })
}

fn batch(events: usize) -> Vec<Value> {
    (0..events).map(event).collect()
}

/// The envelopes that are in the log; none may hold the canary.
fn envelopes(server: &Server) -> Vec<Envelope> {
    let entries = server.log.entries.lock().expect("no panic");
    let read = entries.iter().map(|entry| {
        assert!(!String::from_utf8_lossy(&entry.payload).contains(CANARY));
        Envelope::decode(&entry.payload).expect("an envelope")
    });
    read.collect()
}

#[tokio::test]
async fn a_batch_with_three_bad_ones_is_taken_and_names_them() {
    let server = Server::new().await;
    let mut events = batch(500);
    events[7]["occurred_at"] = json!(CANARY);
    events[250].as_object_mut().expect("an object").remove("model");
    events[499] = json!(CANARY);
    let answer = server.post("/v1/events", &[], &json!(events).to_string()).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert!(!answer.text().contains(CANARY));
    let receipt = answer.json();
    assert_eq!((&receipt["accepted"], &receipt["rejected"]), (&json!(497), &json!(3)));
    let rejections = receipt["rejections"].as_array().expect("a list");
    let found: Vec<_> = rejections.iter().map(|r| (&r["index"], &r["code"])).collect();
    assert_eq!(found[0], (&json!(7), &json!("invalid_timestamp")));
    assert_eq!(found[1], (&json!(250), &json!("missing_field")));
    assert_eq!(found[2].0, &json!(499));
    assert_eq!(rejections[1]["event_id"], "call-250");
    let envelopes = envelopes(&server);
    assert_eq!(envelopes.len(), 500);
    let rejected = envelopes.iter().filter_map(|envelope| match &envelope.body {
        EnvelopeBody::Rejected { index, .. } => Some(*index),
        EnvelopeBody::Event(_) => None,
    });
    assert_eq!(rejected.collect::<Vec<_>>(), [7, 250, 499]);
    assert!(envelopes.iter().all(|envelope| envelope.namespace == "local"));
    assert!(envelopes.iter().all(|envelope| envelope.claims_allowed));
    let metrics = server.get("/metrics", &[]).await.text();
    assert!(metrics.contains(r#"events_total{door="events",outcome="accepted"} 497"#));
    assert!(metrics.contains(r#"rejections_total{code="missing_field",door="events"} 1"#));
}

#[tokio::test]
async fn one_object_an_array_and_lines_are_the_same() {
    let lines = format!("{}\n{}\n", event(0), event(1));
    for (body, events) in [(event(0).to_string(), 1), (json!(batch(2)).to_string(), 2), (lines, 2)]
    {
        let server = Server::new().await;
        let answer = server.post("/v1/events", &[], &body).await;
        assert_eq!((answer.status.as_u16(), envelopes(&server).len()), (202, events));
        assert_eq!(answer.json()["accepted"], events);
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_split_leaves_nothing() {
    let server = Server::new().await;
    for door in ["/v1/events", "/v1/litellm"] {
        for body in ["", "[{\"event_id\":", CANARY] {
            let answer = server.post(door, &[], body).await;
            answer.is_problem(400, "unreadable_body");
            assert!(!answer.text().contains(CANARY));
        }
    }
    assert!(envelopes(&server).is_empty());
}

#[tokio::test]
async fn gzip_is_read_and_other_encodings_are_not() {
    let server = Server::new().await;
    let packed = gzip(&json!(batch(50)).to_string());
    let answer = send(&server, "gzip", packed.clone()).await;
    assert_eq!((answer.status.as_u16(), envelopes(&server).len()), (202, 50));
    let broken = packed[..packed.len() / 2].to_vec();
    send(&server, "gzip", broken).await.is_problem(400, "unreadable_body");
    send(&server, "br", packed).await.is_problem(415, "unsupported_media_type");
    assert_eq!(envelopes(&server).len(), 50);
}

async fn send(server: &Server, encoding: &str, bytes: Vec<u8>) -> Answer {
    let headers = [("content-type", "application/json"), ("content-encoding", encoding)];
    server.ask("POST", "/v1/events", &headers, Body::from(bytes)).await
}

/// Stored blocks only: as valid as any, and no dependency.
fn gzip(text: &str) -> Vec<u8> {
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = text.as_bytes().chunks(60_000).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).expect("a short block");
        packed.push(u8::from(blocks.peek().is_none()));
        packed.extend(length.to_le_bytes());
        packed.extend((!length).to_le_bytes());
        packed.write_all(block).expect("memory");
    }
    let mut crc = !0_u32;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    packed.extend((!crc).to_le_bytes());
    packed.extend(u32::try_from(text.len()).expect("short").to_le_bytes());
    packed
}

#[tokio::test]
async fn too_much_at_once_is_refused_whole() {
    let small = |state: &mut crate::api::ApiState| {
        state.config.body_bytes_max.0 = 4_000;
        state.config.events_per_request_max = 3;
    };
    let server = Server::with(small).await;
    let large = server.post("/v1/events", &[], &json!(batch(50)).to_string()).await;
    large.is_problem(413, "body_too_large");
    let zeros = gzip(&" ".repeat(50_000));
    let bomb = send(&server, "gzip", zeros).await;
    bomb.is_problem(413, "body_too_large");
    let many = server.post("/v1/events", &[], "[1,2,3,4]").await;
    many.is_problem(413, "body_too_large");
    assert!(envelopes(&server).is_empty());
}

#[tokio::test]
async fn content_types_that_are_not_ours_are_refused() {
    let server = Server::new().await;
    let body = event(0).to_string();
    for name in ["text/plain", "application/cloudevents+json", "application/xml", "application/"] {
        let answer = server.post("/v1/events", &[("content-type", name)], &body).await;
        answer.is_problem(415, "unsupported_media_type");
    }
    let binary = server.post("/v1/events", &[("ce-specversion", "1.0")], &body).await;
    binary.is_problem(415, "unsupported_media_type");
    let lines = [("content-type", "application/x-ndjson; charset=utf-8")];
    assert_eq!(server.post("/v1/events", &lines, &body).await.status, 202);
}

#[tokio::test]
async fn a_log_that_fails_and_a_server_that_leaves_ask_to_come_back() {
    let server = Server::new().await;
    server.log.failing.store(true, Ordering::SeqCst);
    let body = event(0).to_string();
    let answer = server.post("/v1/events", &[], &body).await;
    answer.is_problem(503, "unavailable");
    server.log.failing.store(false, Ordering::SeqCst);
    server.app.stop();
    server.post("/v1/events", &[], &body).await.is_problem(503, "shutting_down");
    assert!(envelopes(&server).is_empty());
    let full = Server::with(|state| state.config.ingest_requests_max = 0).await;
    full.post("/v1/events", &[], &body).await.is_problem(503, "overloaded");
}

#[tokio::test]
async fn the_key_says_whose_events_these_are() {
    let server = Server::new().await;
    let key = make(&server, &[KeyScope::Ingest], |new| new.tenants = ["t-1".into()].into()).await;
    let mut claimed = event(0);
    claimed["namespace"] = json!("somebody");
    claimed["tenant"] = json!("t-2");
    let headers = [("x-api-key", key.as_str())];
    let answer = server.post("/v1/events", &headers, &claimed.to_string()).await;
    assert_eq!(answer.status, 202);
    let envelope = envelopes(&server).remove(0);
    assert_eq!((envelope.namespace.as_str(), envelope.claims_allowed), ("acme", false));
    assert_eq!(envelope.asserted.tenant.as_deref(), Some("t-1"));
    assert_eq!(envelope.max_age_seconds, None);
    let old = server.post("/v1/events?max_age=400d", &headers, &claimed.to_string()).await;
    old.is_problem(403, "forbidden");
    let typo = server.post("/v1/events?maxage=400d", &headers, &claimed.to_string()).await;
    typo.is_problem(400, "invalid_request");
    let tenants = ["t-1".into()].into();
    let asks = make(&server, &[KeyScope::Query], |new| new.tenants = tenants).await;
    let answer = server.post("/v1/events", &[("x-api-key", &asks)], "[]").await;
    answer.is_problem(403, "forbidden");
    let admin = make(&server, &[KeyScope::Admin, KeyScope::Ingest], |_| {}).await;
    let headers = [("x-api-key", admin.as_str())];
    let answer = server.post("/v1/events?max_age=400d", &headers, &event(1).to_string()).await;
    assert_eq!(answer.status, 202);
    assert_eq!(envelopes(&server)[1].max_age_seconds, Some(400 * 86_400));
}
