//! From a delivery to durable envelopes: split, decode, append, and only then say so.

use axum::body::Bytes;
use uuid::Uuid;

use super::delivery::Delivery;
use super::doors::Door;
use super::receipt::Receipt;
use crate::api::problem::{Problem, ProblemKind};
use crate::api::state::App;
use crate::crash;
use crate::event::{Envelope, EnvelopeBody, Undecoded, split_events, split_ndjson};
use crate::source::{LogEntry, SourceError};
use crate::time::Timestamp;

/// Makes a delivery's events durable.
///
/// # Errors
/// A problem when the body cannot be split (nothing was taken), or when the log takes nothing (send
/// it again: what is there already is a duplicate, counted once).
pub async fn accept(
    app: &App,
    door: &'static Door,
    delivery: Delivery,
) -> Result<Receipt, Problem> {
    let log = app.state.log.as_ref().ok_or_else(no_log)?;
    let accepted_at = app.state.clock.now();
    let events_max = app.state.config.events_per_request_max;
    // A batch of megabytes takes its time to read; other requests go on meanwhile.
    let reading =
        tokio::task::spawn_blocking(move || read(door, &delivery, accepted_at, events_max));
    let (entries, receipt) = reading
        .await
        .map_err(|_| Problem::new(ProblemKind::Internal, "the fault is ours; it was logged"))??;
    crash::point("ingest.decoded");
    if !entries.is_empty() {
        log.append(entries).await.map_err(|error| refused(&error))?;
    }
    crash::point("ingest.durable");
    count(app, door, &receipt);
    Ok(receipt)
}

/// Splits and decodes a body; rejections become envelopes, too.
fn read(
    door: &Door,
    delivery: &Delivery,
    accepted_at: Timestamp,
    events_max: usize,
) -> Result<(Vec<LogEntry>, Receipt), Problem> {
    let split = if delivery.is_ndjson { split_ndjson } else { split_events };
    let parts = split(&delivery.body)
        .map_err(|why| Problem::new(ProblemKind::UnreadableBody, why.to_string()))?;
    if parts.len() > events_max {
        let detail = format!("{} events are more than the {events_max} allowed", parts.len());
        return Err(Problem::new(ProblemKind::BodyTooLarge, detail));
    }
    let mut receipt = Receipt::default();
    let mut entries = Vec::with_capacity(parts.len());
    for (index, part) in (0..).zip(parts) {
        let body = match (door.decode)(part) {
            Ok(event) => {
                receipt.accepted += 1;
                EnvelopeBody::Event(Box::new(event))
            }
            Err(undecoded) => {
                let Undecoded { rejection, part } = *undecoded;
                receipt.reject(index, &rejection);
                EnvelopeBody::Rejected { index, rejection, part }
            }
        };
        entries.push(entry(delivery, accepted_at, body));
    }
    Ok((entries, receipt))
}

fn entry(delivery: &Delivery, accepted_at: Timestamp, body: EnvelopeBody) -> LogEntry {
    let sender = &delivery.caller.sender;
    let key = match &body {
        EnvelopeBody::Event(event) => Some(event.event_id.clone()),
        EnvelopeBody::Rejected { rejection, .. } => rejection.event_id.clone(),
    };
    let envelope = Envelope {
        namespace: sender.namespace.clone(),
        asserted: sender.asserted.clone(),
        claims_allowed: sender.claims_allowed,
        accepted_at,
        max_age_seconds: delivery.max_age_seconds,
        replay_of: None,
        body,
    };
    let key = key.unwrap_or_else(|| Uuid::new_v4().to_string());
    LogEntry { key, payload: Bytes::from(envelope.encode()), accepted_at }
}

fn count(app: &App, door: &Door, receipt: &Receipt) {
    app.metrics.accepted(door.name, receipt.accepted);
    for rejected in &receipt.rejections {
        app.metrics.rejected(door.name, rejected.code);
    }
}

fn no_log() -> Problem {
    Problem::new(ProblemKind::NotFound, "this instance takes no events")
}

/// Logged here, once; the sender learns only that it should come back.
fn refused(error: &SourceError) -> Problem {
    tracing::warn!(%error, "the event log takes nothing: front doors answer 503");
    let detail = "the event log takes nothing at the moment: send the events again";
    Problem::new(ProblemKind::Unavailable, detail)
}
