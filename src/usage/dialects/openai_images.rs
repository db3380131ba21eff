//! OpenAI images: tokens where the model has them, else pictures by quality and size.
//!
//! What is written are image tokens unless `output_tokens_details` divides them: `ImagesUsage` in
//! <https://docs.rs/crate/openai-client-base/0.12.0>, made from OpenAI's API description (read
//! 2026-11-23). Earlier models answer without usage: the sender tells `n`, `size` and `quality`.

use super::openai_chat;
use super::openai_shape::{self, RESPONSES, Reasoning};
use crate::event::{CallEvent, Json, Rejection};
use crate::usage::TokenClass;
use crate::usage::block::Block;
use crate::usage::dialect::{Dialect, PLAIN};
use crate::usage::reading::Reading;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "openai/images",
    providers: &["openai", "azure", "azure_openai"],
    apis: &["images", "images.generations", "images.edits", "images.variations"],
    fits: |fields| fields.any(&["input_tokens", "output_tokens", "n"]),
    tells: |_| false,
    read,
    ..PLAIN
};

fn read(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    if !block.has(RESPONSES.input) && !block.has(RESPONSES.output) {
        let pictures = block.tokens("n")?;
        return Ok(Reading::of_unit(picture(block, event), pictures));
    }
    let cache = openai_chat::cache(block, &RESPONSES)?;
    let mut reading = openai_shape::read(block, &RESPONSES, &cache, Reasoning::Inside, event)?;
    if block.section(RESPONSES.output_details)?.json().is_none() {
        reading.rename_output(TokenClass::OutputImage);
    }
    Ok(reading)
}

/// `image_standard_1024x1024`; `images` where neither quality nor size is told.
fn picture(block: &Block, event: &CallEvent) -> String {
    let fact = |name: &str| event.fact(name).and_then(Json::as_text).map(str::to_lowercase);
    let told = |name: &str| block.text(name).or_else(|| fact(name));
    let dimensions = [told("quality"), told("size")];
    let dimensions: Vec<String> = dimensions.into_iter().flatten().collect();
    match dimensions.is_empty() {
        true => "images".to_owned(),
        false => format!("image_{}", dimensions.join("_")),
    }
}
