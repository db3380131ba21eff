//! A message's bytes become metered events and dead letters.
//!
//! In: a message, the book, the rules. Out: its outcomes. Never: an error for bad data; the only
//! errors are those of the schema registry, after which the message is tried again.

use std::sync::Arc;

use super::admit::Acceptance;
use super::batch::{Outcome, Pending, Replayed};
use crate::attribution::{Rules, Sender};
use crate::charge;
use crate::event::{
    self, CallEvent, Envelope, EnvelopeBody, Identity, Json, Lineage, Rejection, ReplayOf,
    SenderTerms,
};
use crate::lake::{CallRow, DeadLetterRow};
use crate::pricing::PriceBook;
use crate::source::{AvroDecoders, Message, Origin, SourceError};
use crate::time::Timestamp;

/// What metering needs besides the event.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The price book in force.
    pub book: Arc<PriceBook>,
    /// The tag rules.
    pub rules: Arc<Rules>,
    /// Which event times are taken.
    pub acceptance: Acceptance,
    /// What time it is: rows carry it as `ingested_at`.
    pub now: Timestamp,
}

/// An event, or why it is none and what is left of it.
type Body = Result<CallEvent, (Rejection, Option<Json>)>;

/// How one event of a message arrived.
struct Arrival<'a> {
    message: &'a Message,
    index: u32,
    sender: Sender,
    accepted_at: Timestamp,
    acceptance: Acceptance,
    max_age_seconds: Option<i64>,
    replay_of: Option<ReplayOf>,
}

/// Decodes and meters one message.
///
/// # Errors
/// [`SourceError`] when the schema registry cannot be asked; nothing of the message is taken then.
pub async fn outcomes_of(
    message: &Message,
    terms: &Terms,
    decoders: &mut AvroDecoders,
) -> Result<Vec<Outcome>, SourceError> {
    let Some(payload) = &message.payload else {
        return Ok(Vec::new());
    };
    let (arrival, body) = match &message.partition.origin {
        Origin::Envelopes => from_envelope(message, payload, terms),
        Origin::Raw { namespace } => {
            let sender = Sender { namespace: namespace.clone(), ..Sender::default() };
            let event = match decoders.decoder_for(message, payload).await? {
                None => event::read_call_event(payload),
                Some(Ok((decoder, body))) => decoder.decode(body),
                Some(Err(rejection)) => Err(rejection.into()),
            };
            let event = event.map_err(|undecoded| (undecoded.rejection, undecoded.part));
            (message.arrival(sender, terms), event)
        }
    };
    let (lineage, letter) = (message.lineage(arrival.index), arrival.replay_of.clone());
    let outcome = arrival.metered(body, terms);
    let replayed = letter.map(|letter| Replayed::new(lineage, letter, &outcome, terms.now));
    let replayed = replayed.map(|replayed| Outcome::Replayed(Box::new(replayed)));
    Ok(std::iter::once(outcome).chain(replayed).collect())
}

fn from_envelope<'a>(message: &'a Message, payload: &[u8], terms: &Terms) -> (Arrival<'a>, Body) {
    let envelope = match Envelope::decode(payload) {
        Ok(envelope) => envelope,
        Err(why) => return (message.arrival(Sender::default(), terms), Err((why, None))),
    };
    let sender = Sender {
        namespace: envelope.namespace,
        asserted: envelope.asserted,
        claims_allowed: envelope.claims_allowed,
    };
    let mut arrival = message.arrival(sender, terms);
    arrival.accepted_at = envelope.accepted_at;
    arrival.replay_of = envelope.replay_of;
    arrival.max_age_seconds = envelope.max_age_seconds;
    if let Some(seconds) = envelope.max_age_seconds {
        arrival.acceptance.age_micros = Some(seconds.saturating_mul(1_000_000));
    }
    match envelope.body {
        EnvelopeBody::Event(event) => (arrival, Ok(*event)),
        EnvelopeBody::Rejected { index, rejection, part } => {
            (Arrival { index, ..arrival }, Err((rejection, part)))
        }
    }
}

impl Message {
    fn arrival(&self, sender: Sender, terms: &Terms) -> Arrival<'_> {
        let accepted_at = self.accepted_at;
        Arrival {
            message: self,
            index: 0,
            sender,
            accepted_at,
            acceptance: terms.acceptance,
            max_age_seconds: None,
            replay_of: None,
        }
    }

    fn lineage(&self, index: u32) -> Lineage {
        Lineage {
            topic: self.partition.topic.clone(),
            partition: self.partition.number,
            offset: self.offset,
            index,
        }
    }

    fn size_bytes(&self) -> u64 {
        self.payload.as_ref().map_or(0, |payload| payload.len() as u64)
    }
}

impl Arrival<'_> {
    fn metered(self, body: Body, terms: &Terms) -> Outcome {
        match body {
            Ok(event) => self.row(event, terms),
            Err((rejection, part)) => Outcome::Dead(Box::new(DeadLetterRow {
                event: part.map(|part| part.to_string()),
                ..self.dead_letter(rejection, terms.now)
            })),
        }
    }

    fn row(self, event: CallEvent, terms: &Terms) -> Outcome {
        let row = self
            .acceptance
            .check(&event, self.accepted_at)
            .and_then(|()| charge::meter(event.clone(), &terms.book, &terms.rules, &self.sender))
            .and_then(|charge| CallRow::new(charge, self.message.lineage(self.index), terms.now));
        match row {
            Ok(row) => Outcome::Row(Box::new(Pending {
                row,
                accepted_at: self.accepted_at,
                size_bytes: self.message.size_bytes(),
                partition: self.message.partition.clone(),
            })),
            Err(rejection) => {
                let identity = Identity::of(&event, &self.sender.namespace);
                Outcome::Dead(Box::new(DeadLetterRow {
                    source: Some(event.source.clone()),
                    event_id: Some(event.event_id.clone()),
                    occurred_at: Some(event.occurred_at),
                    identity_hash: Some(identity.identity_hash),
                    content_hash: identity.content_hash,
                    event: Some(event.canonical()),
                    ..self.dead_letter(rejection, terms.now)
                }))
            }
        }
    }

    /// The dead letter of an event of which nothing is known but its rejection.
    fn dead_letter(&self, rejection: Rejection, now: Timestamp) -> DeadLetterRow {
        let payload = self.message.payload.as_deref().unwrap_or_default();
        DeadLetterRow {
            lineage: self.message.lineage(self.index),
            app_id: self.message.partition.app_id.clone(),
            received_at: self.accepted_at,
            ingested_at: now,
            reason: rejection.code,
            message: rejection.message,
            namespace: self.sender.namespace.clone(),
            source: None,
            event_id: rejection.event_id,
            tenant: self.sender.asserted.tenant.clone(),
            occurred_at: None,
            identity_hash: None,
            content_hash: event::content_hash_of(payload),
            size_bytes: self.message.size_bytes(),
            event: None,
            sender: self.kept_terms(),
            raw: None,
            replayed_at: None,
        }
    }

    /// What a replay needs of the envelope.
    fn kept_terms(&self) -> Option<String> {
        matches!(self.message.partition.origin, Origin::Envelopes).then(|| {
            let terms = SenderTerms {
                asserted: self.sender.asserted.clone(),
                claims_allowed: self.sender.claims_allowed,
                max_age_seconds: self.max_age_seconds,
            };
            terms.to_json()
        })
    }
}
