//! Cohere chat and embed: `billed_units` are billed, `tokens` only tell what was processed.
//!
//! <https://docs.cohere.com/v2/docs/how-does-cohere-pricing-work>; v1 keeps them under `meta`
//! (<https://github.com/cohere-ai/cohere-python/issues/531>), v2 under `usage` (read 2026-11-23).

use crate::event::{CallEvent, Rejection};
use crate::usage::block::{Block, Count};
use crate::usage::dialect::{Dialect, PLAIN};
use crate::usage::reading::Reading;
use crate::usage::{TokenClass, Tokens};

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "cohere/chat",
    providers: &["cohere", "cohere_chat"],
    apis: &["chat", "v2.chat", "embed", "v2.embed", "classify"],
    fits: |fields| fields.any(&["billed_units"]),
    tells: |fields| fields.any(&["billed_units"]),
    read,
    ..PLAIN
};

pub(super) fn read(block: &Block, _event: &CallEvent) -> Result<Reading, Rejection> {
    let mut reading = Reading::default();
    let raw = block.section("tokens")?.count("input_tokens")?;
    if let (Some(cached), Some(raw)) = (block.count("cached_tokens")?, raw) {
        cached.within(&raw)?;
    }
    let billed = block.section("billed_units")?;
    let input = billed.count("input_tokens")?;
    let images = billed.tokens("image_tokens")?;
    let searches = billed.tokens("search_units")?;
    let pictures = billed.tokens("images")?;
    let is_known = input.is_some() || images > 0 || searches > 0 || pictures > 0;
    reading.expect("billed_units.input_tokens", is_known);
    if !is_known && !billed.has("output_tokens") {
        return Ok(reading);
    }
    let mut tokens = Tokens::default();
    tokens.set(TokenClass::InputText, count(input));
    tokens.set(TokenClass::InputImage, images);
    tokens.set(TokenClass::OutputText, billed.tokens("output_tokens")?);
    reading.push(tokens);
    // One basis: pictures are billed where their tokens are not.
    let pictures = if images > 0 { 0 } else { pictures };
    reading.add_units([("search_units", searches), ("input_images", pictures)]);
    Ok(reading)
}

fn count(count: Option<Count>) -> u64 {
    count.map_or(0, |count| count.tokens)
}
