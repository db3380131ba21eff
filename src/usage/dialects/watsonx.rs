//! watsonx.ai text generation: two counts, at the root of the answer or of each of its results.
//!
//! `TextGenResult` in <https://ibm.github.io/watsonx-ai-node-sdk/> (read 2026-11-23). Its chat API
//! answers in OpenAI's shape.

use super::openai_compatible;
use crate::event::{CallEvent, Json, Rejection};
use crate::usage::block::{Block, invalid, sum};
use crate::usage::dialect::{Dialect, PLAIN};
use crate::usage::reading::Reading;
use crate::usage::{TokenClass, Tokens};

const COUNTS: [&str; 2] = ["input_token_count", "generated_token_count"];

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "watsonx/text.generation",
    providers: &["watsonx", "watsonx_text", "ibm.watsonx.ai"],
    apis: &["text.generation", "text.generation_stream", "text.chat", "text.embeddings"],
    fits: |fields| {
        fields.any(&COUNTS) || fields.any(&["results"]) || (openai_compatible::DIALECT.fits)(fields)
    },
    tells: |fields| fields.any(&COUNTS),
    read,
    ..PLAIN
};

fn read(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    if block.has("prompt_tokens") {
        return openai_compatible::read(block, event);
    }
    let mut parts = vec![*block];
    for result in block.list("results")? {
        if !matches!(result, Json::Object(_)) {
            return Err(invalid("an element of `results` is not an object"));
        }
        parts.push(Block::new(result));
    }
    let is_embedding = event.api.as_deref().is_some_and(|api| api.contains("embed"));
    let mut reading = Reading::default();
    for (field, class) in COUNTS.into_iter().zip([TokenClass::InputText, TokenClass::OutputText]) {
        let counts: Vec<u64> = parts
            .iter()
            .filter_map(|part| part.count(field).transpose())
            .map(|count| count.map(|count| count.tokens))
            .collect::<Result<_, _>>()?;
        let is_there = !counts.is_empty();
        reading.expect(field, is_there || (is_embedding && class == TokenClass::OutputText));
        if is_there && reading.requests.is_empty() {
            reading.push(Tokens::default());
        }
        let counted = sum(&counts)?;
        reading.requests.iter_mut().for_each(|request| request.tokens.set(class, counted));
    }
    Ok(reading)
}
