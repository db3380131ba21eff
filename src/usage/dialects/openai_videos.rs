//! OpenAI and Google videos: seconds, by resolution where the sender tells it.
//!
//! Both price a second of video: the map in PyPI litellm 1.109.1 (read 2026-11-23), which names
//! <https://developers.openai.com/api/docs/pricing>, not opened.

use crate::event::{CallEvent, Json, Rejection};
use crate::usage::block::Block;
use crate::usage::dialect::{Dialect, PLAIN};
use crate::usage::reading::Reading;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "openai/videos",
    providers: &["openai", "azure", "azure_openai", "google", "gemini", "vertex_ai", "xai"],
    apis: &["videos", "video", "video.generations", "predictLongRunning"],
    fits: |fields| fields.any(&["seconds", "video_seconds"]),
    read,
    ..PLAIN
};

fn read(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    let seconds = match block.amount("seconds")? {
        None => block.amount("video_seconds")?,
        told => told,
    };
    let Some(seconds) = seconds else { return Ok(Reading::default()) };
    let fact = event.fact("resolution").and_then(Json::as_text).map(str::to_lowercase);
    let unit = match block.text("resolution").or(fact) {
        Some(resolution) => format!("video_seconds_{resolution}"),
        None => "video_seconds".to_owned(),
    };
    Ok(Reading::of_unit(unit, seconds))
}
