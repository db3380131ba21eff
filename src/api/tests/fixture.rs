//! A server without a socket, a log in memory and keys in memory.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt;

use crate::api::keys::{KeyError, KeyRecord, KeyRing, KeyStore};
use crate::api::router::router;
use crate::api::state::App;
use crate::api::{ApiConfig, ApiState};
use crate::source::{Appended, EventLog, LogEntry, SourceError};
use crate::time::{FixedClock, Timestamp};

/// A log that keeps entries, until it is told to fail.
#[derive(Debug, Default)]
pub struct MemoryLog {
    pub entries: Mutex<Vec<LogEntry>>,
    pub failing: AtomicBool,
}

#[async_trait]
impl EventLog for MemoryLog {
    async fn append(&self, entries: Vec<LogEntry>) -> Result<Appended, SourceError> {
        if self.failing.load(Ordering::SeqCst) {
            let what = "appending to the log".to_owned();
            return Err(SourceError::Retryable { what, why: "the disk is full".to_owned() });
        }
        let appended = Appended { entries: entries.len() };
        self.entries.lock().expect("no panic").extend(entries);
        Ok(appended)
    }
}

#[derive(Default)]
struct MemoryKeys(Mutex<BTreeMap<String, KeyRecord>>);

#[async_trait]
impl KeyStore for MemoryKeys {
    async fn load(&self) -> Result<Vec<KeyRecord>, KeyError> {
        Ok(self.0.lock().expect("no panic").values().cloned().collect())
    }

    async fn put(&self, record: &KeyRecord, _: Timestamp) -> Result<(), KeyError> {
        let mut records = self.0.lock().expect("no panic");
        records.insert(record.key_id.clone(), record.clone());
        Ok(())
    }
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).expect("a JSON answer")
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).expect("text")
    }

    /// The header's text; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// Asserts that this is a complete problem document of that code.
    pub fn is_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let document = self.json();
        assert_eq!(document["code"], code, "{document}");
        assert_eq!(document["status"], status);
        assert_eq!(document["type"], format!("urn:tokenmeter:problem:{code}"));
        assert_eq!(document["request_id"], self.header("x-request-id"));
        assert!(document["instance"].as_str().is_some_and(|path| path.starts_with('/')));
        assert_eq!(status == 503, self.headers.contains_key("retry-after"));
    }
}

/// What a server on the loopback address is handed, without keys.
pub async fn state(log: Arc<MemoryLog>) -> ApiState {
    let clock = Arc::new(FixedClock("2026-11-22T12:00:00Z".parse().expect("a time")));
    let keys = KeyRing::open(Arc::new(MemoryKeys::default()), clock.clone()).await;
    ApiState {
        config: ApiConfig::default(),
        clock,
        keys: Arc::new(keys.expect("no keys yet")),
        log: Some(log),
        engine: None,
        books: None,
        revisions: None,
        checks: Vec::new(),
        registry: prometheus::Registry::new(),
    }
}

/// A server under test.
pub struct Server {
    pub app: Arc<App>,
    pub log: Arc<MemoryLog>,
    router: Router,
}

impl Server {
    /// On the loopback address, without keys.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With changes to what it is handed.
    pub async fn with(change: impl FnOnce(&mut ApiState)) -> Self {
        let log = Arc::new(MemoryLog::default());
        let mut state = state(log.clone()).await;
        change(&mut state);
        let app = App::new(state).expect("a server");
        Self { router: router(app.clone()), app, log }
    }

    pub fn now(&self) -> Timestamp {
        self.app.state.clock.now()
    }

    /// Asks without a body.
    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask("GET", path, headers, Body::empty()).await
    }

    /// Posts JSON.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        self.ask("POST", path, &all, Body::from(body.to_owned())).await
    }

    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        // A later header of the same name wins.
        let headers: BTreeMap<_, _> = headers.iter().copied().collect();
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(body).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 64 << 20).await.expect("a body").to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }
}
