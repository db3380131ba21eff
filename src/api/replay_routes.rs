//! Dead letters again, after a fix, for administrators.
//!
//! In: which letters. Out: an envelope each on the event log, naming the letter that it replays, on
//! the terms that the sender had then. What becomes of an event is decided where every other one is
//! decided. Never: an event of which only a part is known.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::auth::MayManage;
use super::problem::{Problem, ProblemKind};
use super::questions::refused;
use super::state::App;
use crate::event::{
    self, CallEvent, Envelope, EnvelopeBody, Lineage, RejectionCode, ReplayOf, SenderTerms,
};
use crate::query::{self, Format, QueryEngine, SqlRequest};
use crate::setting::Span;
use crate::source::{EventLog, LogEntry};
use crate::time::Timestamp;

/// Dead letters with what they hold.
pub const LETTERS: &str = include_str!("../../sql/dead_letters.sql");

/// The most that are replayed at once.
const LETTERS_MAX: usize = 2_000;

/// Which dead letters come again; nothing said: all that can.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReplayRequest {
    /// The one of this name: `topic/partition/offset/index`.
    pub letter: Option<String>,
    /// Those of this reason.
    pub reason: Option<String>,
    /// Those whose credential asserts this tenant.
    pub tenant: Option<String>,
    /// Those of this event id.
    pub event_id: Option<String>,
    /// How old the events may be, instead of what held for them.
    pub max_age: Option<String>,
    /// The whole event, corrected, in place of what the letter has; only with `letter`.
    pub event: Option<Value>,
    /// Only say what would be replayed.
    pub dry_run: bool,
}

/// What comes again, and what cannot.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct ReplayReport {
    /// The names of the letters that come again.
    pub replayed: Vec<String>,
    /// Those that cannot.
    pub refused: Vec<Refused>,
    /// Whether there are more: ask again once these are metered.
    pub more: bool,
}

/// A letter that cannot be replayed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Refused {
    /// Its name.
    pub letter: String,
    /// Why it was rejected.
    pub reason: String,
    /// Why it cannot come again, and what to do.
    pub why: String,
}

/// A dead letter, as [`LETTERS`] answers it.
#[derive(Debug, Deserialize)]
struct Letter {
    letter: String,
    received_at: String,
    reason: String,
    namespace: String,
    /// Whether everything of the event was read when it was rejected.
    is_whole: bool,
    event: Option<String>,
    sender: Option<String>,
    app_id: String,
    source_topic: String,
    source_partition: i32,
    source_offset: i64,
    source_index: u32,
}

/// `POST /v1/dead-letters/replay`: events that were rejected come again.
#[utoipa::path(
    post, path = "/v1/dead-letters/replay", operation_id = "replay_dead_letters",
    tag = "administration",
    request_body = ReplayRequest,
    responses((status = 200, description = "What comes again, and what cannot.",
        body = ReplayReport))
)]
pub async fn replay(
    _: MayManage,
    State(app): State<Arc<App>>,
    body: Result<Json<ReplayRequest>, JsonRejection>,
) -> Result<Json<ReplayReport>, Problem> {
    let Json(request) = body.map_err(|why| invalid(why.body_text()))?;
    let (Some(engine), Some(log)) = (app.state.engine.clone(), app.state.log.clone()) else {
        return Err(Problem::new(ProblemKind::NotFound, "this server replays nothing"));
    };
    let terms = Terms::of(&request)?;
    // Whoever asked may go away: what is appended is remembered all the same.
    let work = async move {
        let mut sent = app.replayed.lock().await;
        run(&engine, log.as_ref(), &request, &terms, &mut sent).await
    };
    let done = tokio::spawn(work).await;
    done.map_err(|_| Problem::new(ProblemKind::Internal, "the fault is ours; it was logged"))?
        .map(Json)
}

async fn run(
    engine: &QueryEngine,
    log: &dyn EventLog,
    request: &ReplayRequest,
    terms: &Terms,
    sent: &mut HashSet<String>,
) -> Result<ReplayReport, Problem> {
    let mut letters = letters(engine, request).await?;
    let more = letters.len() > LETTERS_MAX;
    letters.truncate(LETTERS_MAX);
    if let (Some(name), true) = (&request.letter, letters.is_empty()) {
        let detail = format!("no dead letter `{name}` waits: there is none, or it was replayed");
        return Err(invalid(detail));
    }
    let mut report = ReplayReport { more, ..ReplayReport::default() };
    let mut entries = Vec::new();
    for letter in letters {
        let again = if sent.contains(&letter.key()) {
            Err("it comes again already".to_owned())
        } else {
            letter.entry(terms)
        };
        match again {
            Ok(entry) => {
                entries.push((letter.key(), entry));
                report.replayed.push(letter.letter);
            }
            Err(why) => {
                let Letter { letter, reason, .. } = letter;
                report.refused.push(Refused { letter, reason, why });
            }
        }
    }
    if !request.dry_run && !entries.is_empty() {
        let (keys, entries): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        log.append(entries).await.map_err(|error| {
            tracing::warn!(%error, "the event log takes no replays");
            Problem::new(ProblemKind::Unavailable, "the event log takes nothing at the moment")
        })?;
        sent.extend(keys);
    }
    Ok(report)
}

/// The letters that were not replayed yet, newest first; one more than are taken at once.
async fn letters(engine: &QueryEngine, request: &ReplayRequest) -> Result<Vec<Letter>, Problem> {
    let text = |said: &Option<String>| said.clone().unwrap_or_default().into();
    let ask = SqlRequest {
        parameters: vec![
            text(&request.reason),
            text(&request.letter),
            text(&request.tenant),
            text(&request.event_id),
            false.into(),
            i64::try_from(LETTERS_MAX + 1).unwrap_or(i64::MAX).into(),
        ],
        ..SqlRequest::new(LETTERS)
    };
    let mut answer = engine.ask(&ask).await.map_err(|error| refused(&error))?;
    let lines = query::encode(&mut answer, Format::Ndjson).await;
    let lines = lines.map_err(|error| refused(&error))?;
    let letters = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let letters: Result<Vec<Letter>, _> = letters.map(serde_json::from_slice).collect();
    letters.map_err(|error| {
        tracing::error!(%error, "a dead letter's row cannot be read");
        Problem::new(ProblemKind::Internal, "the fault is ours; it was logged")
    })
}

/// What a request says instead of what the letters have.
struct Terms {
    max_age_seconds: Option<i64>,
    event: Option<CallEvent>,
}

impl Terms {
    fn of(request: &ReplayRequest) -> Result<Self, Problem> {
        let age = request.max_age.as_ref().map(|text| text.parse::<Span>());
        let age = age.transpose().map_err(|why| invalid(format!("`max_age`: {why}")))?;
        let seconds = |span: Span| i64::try_from(span.0.as_secs()).unwrap_or(i64::MAX);
        if request.event.is_some() && request.letter.is_none() {
            return Err(invalid("`event` is for one letter: name it by `letter`"));
        }
        let event = request.event.as_ref().map(|event| read(&event.to_string())).transpose();
        let event = event.map_err(|why| invalid(format!("`event`: {why}")))?;
        Ok(Self { max_age_seconds: age.map(seconds), event })
    }
}

fn read(event: &str) -> Result<CallEvent, String> {
    event::read_call_event(event.as_bytes()).map_err(|why| why.rejection.to_string())
}

impl Letter {
    /// Its name, with the topic's incarnation.
    fn key(&self) -> String {
        format!("{} {}", self.app_id, self.letter)
    }

    /// What goes onto the log.
    fn entry(&self, terms: &Terms) -> Result<LogEntry, String> {
        let event = match &terms.event {
            Some(event) => event.clone(),
            None => self.event()?,
        };
        let time: Result<Timestamp, _> = self.received_at.parse();
        let received_at = time.map_err(|_| "its time cannot be read".to_owned())?;
        let reason = RejectionCode::from_name(&self.reason);
        let reason = reason.ok_or("a newer tokenmeter rejected it: replay it by that one")?;
        let sender = self.sender.as_deref().map(SenderTerms::from_json).transpose();
        let sender = sender.map_err(|why| why.to_string())?.unwrap_or_default();
        let key = event.event_id.clone();
        let envelope = Envelope {
            namespace: self.namespace.clone(),
            asserted: sender.asserted,
            claims_allowed: sender.claims_allowed,
            accepted_at: received_at,
            max_age_seconds: terms.max_age_seconds.or(sender.max_age_seconds),
            replay_of: Some(ReplayOf {
                lineage: Lineage {
                    topic: self.source_topic.clone(),
                    partition: self.source_partition,
                    offset: self.source_offset,
                    index: self.source_index,
                },
                app_id: self.app_id.clone(),
                received_at,
                reason,
            }),
            body: EnvelopeBody::Event(Box::new(event)),
        };
        let payload = Bytes::from(envelope.encode());
        Ok(LogEntry { key, payload, accepted_at: received_at })
    }

    /// The event as it was rejected.
    fn event(&self) -> Result<CallEvent, String> {
        let why = match (self.reason.as_str(), &self.event) {
            ("duplicate", _) => "it is counted already: there is nothing to do",
            ("conflict", _) => {
                "another event of its identity is counted, and stays; to change that row send a \
                 correction"
            }
            (_, Some(event)) if self.is_whole => return read(event),
            _ => "not all of it could be read: give the whole event, corrected (`--event FILE`)",
        };
        Err(why.to_owned())
    }
}

fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemKind::InvalidRequest, detail)
}
