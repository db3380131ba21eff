//! Mistral transcription: billed by seconds of audio, though tokens are counted beside them.
//!
//! Prices are by the minute: <https://micdrop.dev/docs/speech-to-text/mistral> (read 2026-11-23);
//! `prompt_audio_seconds` tells the time.

use super::mistral_chat;
use crate::event::{CallEvent, Rejection};
use crate::usage::block::Block;
use crate::usage::dialect::{Dialect, PLAIN};
use crate::usage::reading::Reading;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "mistral/audio.transcriptions",
    providers: mistral_chat::DIALECT.providers,
    apis: &["audio.transcriptions"],
    fits: |fields| fields.any(&["prompt_audio_seconds", "prompt_tokens"]),
    read,
    ..PLAIN
};

fn read(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    match block.amount("prompt_audio_seconds")?.filter(|seconds| !seconds.is_zero()) {
        Some(seconds) => Ok(Reading::of_unit("audio_seconds", seconds)),
        None => mistral_chat::read(block, event),
    }
}
