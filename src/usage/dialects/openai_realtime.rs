//! OpenAI realtime: each `response.done` is a response of its own, and all of them are billed.
//!
//! Text, audio and image tokens divide each side; cached tokens are a part of the input with the
//! same division: `RealtimeResponseUsageInputTokenDetails` in
//! <https://docs.rs/crate/openai-client-base/0.12.0>, made from OpenAI's API description. Reasoning
//! is inside the text of the output: <https://github.com/BerriAI/litellm/pull/39850> (both read
//! 2026-11-23).
//!
//! What was heard may be transcribed beside it by another model, at that model's prices; only those
//! counters have a `type`: <https://developers.openai.com/api/docs/guides/realtime-costs> (read
//! 2026-11-23). They are billed by tokens where the event's model is the one that transcribed; else
//! they are units of their own, which no published row prices, since the session's events do not
//! name that model.

use super::openai_shape::{self, REALTIME, Reasoning};
use super::{openai_audio, openai_chat, openai_items};
use crate::event::{CallEvent, Rejection};
use crate::usage::block::Block;
use crate::usage::dialect::{Dialect, PLAIN};
use crate::usage::reading::Reading;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "openai/realtime",
    providers: &["openai", "azure", "azure_openai"],
    apis: &["realtime", "realtime.sessions"],
    fits: |fields| fields.any(&["input_tokens", "output_tokens", "seconds"]),
    tells: |fields| fields.any(&["input_token_details", "output_token_details"]),
    read,
    units: openai_items::units,
    ..PLAIN
};

fn read(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    if block.has("type") {
        return read_transcript(block, event);
    }
    let cache = openai_chat::cache(block, &REALTIME)?;
    openai_shape::read(block, &REALTIME, &cache, Reasoning::Inside, event)
}

fn read_transcript(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    if ["transcribe", "whisper"].iter().any(|name| event.model.contains(name)) {
        return openai_audio::read(block, event);
    }
    if let Some(seconds) = block.amount("seconds")? {
        return Ok(Reading::of_unit("transcript_seconds", seconds));
    }
    let (heard, written) = (block.tokens("input_tokens")?, block.tokens("output_tokens")?);
    let mut reading = Reading::of_unit("transcript_input_token", heard);
    reading.add_units([("transcript_output_token", written)]);
    Ok(reading)
}
