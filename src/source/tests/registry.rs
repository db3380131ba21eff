//! The registry's client against a small registry on this machine.

use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use bytes::Bytes;

use crate::event::RejectionCode;
use crate::setting::{Secret, Span};
use crate::source::*;
use crate::time::{Clock, Timestamp};

const SCHEMA: &str = include_str!("../../../schemas/call_event.v1.avsc");
/// The wire format's first bytes for schema 7, and one byte more.
const MESSAGE: [u8; 6] = [0, 0, 0, 0, 7, 1];

/// What the registry answers: a status and an error code, and how often it was asked.
#[derive(Debug, Default)]
struct Script {
    status: AtomicU16,
    error_code: AtomicUsize,
    asked: AtomicUsize,
}

impl Script {
    fn says(&self, status: u16, error_code: usize) {
        self.status.store(status, Ordering::SeqCst);
        self.error_code.store(error_code, Ordering::SeqCst);
    }

    fn answer(&self, headers: &HeaderMap) -> (StatusCode, String) {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let credentials = headers.get("authorization").and_then(|value| value.to_str().ok());
        assert_eq!(credentials, Some("Basic dXNlcjpwYXNz"), "user:pass");
        let status = StatusCode::from_u16(self.status.load(Ordering::SeqCst)).expect("a status");
        let body = match self.error_code.load(Ordering::SeqCst) {
            0 if status.is_success() => serde_json::json!({ "schema": SCHEMA }).to_string(),
            0 => "not a registry".to_owned(),
            code => serde_json::json!({ "error_code": code, "message": "no" }).to_string(),
        };
        (status, body)
    }
}

/// A clock that a test sets.
#[derive(Debug, Default)]
struct HandClock(Mutex<i64>);

impl HandClock {
    fn pass(&self, seconds: i64) {
        *self.0.lock().expect("a clock") += seconds;
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH.plus_seconds(*self.0.lock().expect("a clock"))
    }
}

async fn registry() -> (Arc<Script>, Arc<HandClock>, AvroDecoders) {
    registry_of(RegistryConfig::default()).await
}

async fn registry_of(config: RegistryConfig) -> (Arc<Script>, Arc<HandClock>, AvroDecoders) {
    let script = Arc::new(Script::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let answering = script.clone();
    let answer = get(async move |headers: HeaderMap| answering.answer(&headers));
    let router = axum::Router::new().route("/schemas/ids/7", answer);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let config = RegistryConfig {
        url: Some(url),
        username: Some("user".to_owned()),
        password: Some(Secret::new("pass".to_owned())),
        ..config
    };
    let clock = Arc::new(HandClock::default());
    let decoders = AvroDecoders::new(config, clock.clone()).expect("a client");
    (script, clock, decoders)
}

/// Asks for the message's decoder: there, rejected with this code, or to be tried again.
async fn ask(decoders: &mut AvroDecoders) -> Result<Option<RejectionCode>, String> {
    let partition = Partition {
        app_id: "id".to_owned(),
        topic: "raw".to_owned(),
        number: 0,
        origin: Origin::Raw { namespace: "gateway".to_owned() },
    };
    let message = Message {
        partition: Arc::new(partition),
        offset: 0,
        accepted_at: Timestamp::EPOCH,
        headers: Vec::new(),
        payload: Some(Bytes::from_static(&MESSAGE)),
    };
    match decoders.decoder_for(&message, &MESSAGE).await {
        Ok(Some(Ok((_, body)))) => {
            assert_eq!(body, [1]);
            Ok(None)
        }
        Ok(Some(Err(rejection))) => Ok(Some(rejection.code)),
        Ok(None) => panic!("the message is Avro"),
        Err(SourceError::Retryable { why, .. }) => Err(why),
        Err(fatal) => panic!("{fatal}"),
    }
}

#[tokio::test]
async fn a_schema_is_asked_for_once() {
    let (script, _, mut decoders) = registry().await;
    script.says(200, 0);
    assert_eq!(ask(&mut decoders).await, Ok(None));
    script.says(500, 0);
    assert_eq!(ask(&mut decoders).await, Ok(None));
    assert_eq!(script.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_unknown_id_is_asked_for_a_minute_and_then_rejected() {
    let (script, clock, mut decoders) = registry().await;
    script.says(404, 40_403);
    for _ in 0..59 {
        ask(&mut decoders).await.expect_err("not yet");
        ask(&mut decoders).await.expect_err("not yet, and not asked within the second");
        clock.pass(1);
    }
    assert_eq!(script.asked.load(Ordering::SeqCst), 59);
    clock.pass(1);
    assert_eq!(ask(&mut decoders).await, Ok(Some(RejectionCode::UnknownSchema)));
    assert_eq!(ask(&mut decoders).await, Ok(Some(RejectionCode::UnknownSchema)));
    assert_eq!(script.asked.load(Ordering::SeqCst), 60);
    clock.pass(1);
    script.says(200, 0);
    assert_eq!(ask(&mut decoders).await, Ok(None), "registered at last");
}

#[tokio::test]
async fn a_short_patience_ends() {
    let unknown_for = Span::millis(100);
    let config = RegistryConfig { unknown_for, ..RegistryConfig::default() };
    let (script, clock, mut decoders) = registry_of(config).await;
    script.says(404, 40_403);
    ask(&mut decoders).await.expect_err("not yet");
    clock.pass(5);
    assert_eq!(ask(&mut decoders).await, Ok(Some(RejectionCode::UnknownSchema)));
}

#[tokio::test]
async fn a_registry_that_is_down_or_none_never_rejects() {
    let (script, clock, mut decoders) = registry().await;
    for status in [500, 401, 404] {
        script.says(status, 0);
        let why = ask(&mut decoders).await.expect_err("an error that may pass");
        assert!(why.contains(&status.to_string()), "{why}");
        clock.pass(3_600);
    }
}
