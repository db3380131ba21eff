//! OpenAI transcription and speech: billed by tokens or by seconds, as `type` says, never by both.
//!
//! `TranscriptTextUsageTokens` and `TranscriptTextUsageDuration` in
//! <https://docs.rs/crate/openai-client-base/0.12.0>, made from OpenAI's API description (read
//! 2026-11-23). What speech writes is audio; where the API tells nothing, the sender may tell
//! `input_characters`.

use super::openai_chat;
use super::openai_shape::{self, REALTIME, Reasoning};
use crate::event::{CallEvent, Rejection};
use crate::usage::TokenClass;
use crate::usage::block::Block;
use crate::usage::dialect::{Dialect, PLAIN};
use crate::usage::reading::Reading;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "openai/audio",
    providers: &["openai", "azure", "azure_openai", "groq", "together", "fireworks"],
    apis: &["audio.transcriptions", "audio.translations", "audio.speech", "speech"],
    fits: |fields| {
        fields.any(&["seconds", "input_tokens", "output_tokens", "input_characters"])
            && !fields.any(&["prompt_audio_seconds"])
    },
    tells: |_| false,
    read,
    ..PLAIN
};

pub(super) fn read(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    if let Some(seconds) = block.amount("seconds")? {
        return Ok(Reading::of_unit("audio_seconds", seconds));
    }
    if let Some(characters) = block.count("input_characters")? {
        return Ok(Reading::of_unit("input_characters", characters.tokens));
    }
    let cache = openai_chat::cache(block, &REALTIME)?;
    let mut reading = openai_shape::read(block, &REALTIME, &cache, Reasoning::Inside, event)?;
    let is_speech = event.api.as_deref().is_some_and(|api| api.contains("speech"));
    if is_speech {
        reading.rename_output(TokenClass::OutputAudio);
    }
    Ok(reading)
}
