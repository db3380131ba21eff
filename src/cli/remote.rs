//! A running server, over HTTP.

use anyhow::{Context, Result, bail};
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

/// Events of one request.
const EVENTS_PER_REQUEST: usize = 2_000;
/// Bytes of one request.
const BYTES_PER_REQUEST: usize = 4 << 20;

/// A server, and the key it is asked with.
#[derive(Debug, Clone)]
pub struct Remote {
    url: String,
    key: Option<String>,
    client: reqwest::Client,
}

/// What the front door said of all requests.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Events accepted.
    pub accepted: u64,
    /// Events that could not be decoded: place, code and message.
    pub rejected: Vec<(u64, String, String)>,
}

impl Remote {
    /// A server at `url`; the key is `TOKENMETER_KEY`, where there is one.
    pub fn new(url: &str) -> Self {
        let key = std::env::var("TOKENMETER_KEY").ok();
        let url = url.trim_end_matches('/').to_owned();
        Self { url, key, client: reqwest::Client::new() }
    }

    /// Sends events in requests of a limited size; `taken` is told how many went each time.
    ///
    /// # Errors
    /// The server's problem, or that it cannot be reached.
    pub async fn send(
        &self,
        events: &[&[u8]],
        max_age: &str,
        mut taken: impl FnMut(usize),
    ) -> Result<Sent> {
        let mut sent = Sent::default();
        let mut rest = events;
        let mut first = 0_u64;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(request_size(rest));
            let path = format!("/v1/events?max_age={max_age}");
            let request = self.client.post(self.at(&path)).body(lines(now));
            let answer = self.answer(request.header(CONTENT_TYPE, "application/x-ndjson")).await?;
            let receipt: Value = serde_json::from_slice(&answer)?;
            sent.accepted += receipt.get("accepted").and_then(Value::as_u64).unwrap_or_default();
            let rejections = receipt.get("rejections").and_then(Value::as_array);
            for rejection in rejections.into_iter().flatten() {
                let text = |key: &str| {
                    rejection.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
                };
                let index = rejection.get("index").and_then(Value::as_u64).unwrap_or_default();
                sent.rejected.push((first + index, text("code"), text("message")));
            }
            taken(now.len());
            first += now.len() as u64;
            rest = later;
        }
        Ok(sent)
    }

    /// Posts JSON, and returns the answer's bytes.
    ///
    /// # Errors
    /// The server's problem, or that it cannot be reached.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Vec<u8>> {
        self.answer(self.client.post(self.at(path)).json(body)).await
    }

    /// Gets a path.
    ///
    /// # Errors
    /// The server's problem, or that it cannot be reached.
    pub async fn get(&self, path: &str) -> Result<Vec<u8>> {
        self.answer(self.client.get(self.at(path))).await
    }

    /// Deletes a path.
    ///
    /// # Errors
    /// The server's problem, or that it cannot be reached.
    pub async fn delete(&self, path: &str) -> Result<Vec<u8>> {
        self.answer(self.client.delete(self.at(path))).await
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Vec<u8>> {
        let request = match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        };
        let answer =
            request.send().await.with_context(|| format!("cannot reach `{}`", self.url))?;
        let status = answer.status();
        let bytes = answer.bytes().await?;
        if status.is_success() {
            return Ok(bytes.to_vec());
        }
        let problem: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let said = ["detail", "title"].iter().find_map(|key| problem.get(key)?.as_str());
        bail!("`{}` answered {status}: {}", self.url, said.unwrap_or("it does not say why"))
    }
}

/// One event a line: one that is broken stays one event. In JSON a line's end is never part of a
/// value.
fn lines(events: &[&[u8]]) -> Vec<u8> {
    let mut body = Vec::with_capacity(events.iter().map(|event| event.len() + 1).sum());
    for event in events {
        body.extend(event.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }));
        body.push(b'\n');
    }
    body
}

/// How many of the events go into one request: at least one.
fn request_size(events: &[&[u8]]) -> usize {
    let mut bytes = 0;
    let fitting = events.iter().take(EVENTS_PER_REQUEST).take_while(|event| {
        bytes += event.len();
        bytes <= BYTES_PER_REQUEST
    });
    fitting.count().max(1)
}
