//! Bedrock InvokeModel: each model family in its native shape, or AWS' own counts beside the body.
//!
//! - Claude's answers are read as Anthropic's, Nova's as Converse's, OpenAI's and others' as
//!   theirs.
//! - Titan counts `inputTextTokenCount` and, per result, `tokenCount` (embeddings have none):
//!   <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-text.html>. Llama
//!   counts `prompt_token_count` and `generation_token_count`.
//! - The headers `x-amzn-bedrock-input-token-count` and its like tell the same for every family:
//!   <https://github.com/aws/aws-sdk-js-v3/issues/8172>; so does the last chunk of a stream:
//!   <https://github.com/langchain-ai/langchain/issues/14120>.
//!
//! All read 2026-11-23.

use super::{anthropic_messages, bedrock_converse, openai_compatible};
use crate::event::{CallEvent, Json, Rejection};
use crate::usage::block::{Block, Count, invalid, sum};
use crate::usage::dialect::{Dialect, Fields, PLAIN};
use crate::usage::reading::Reading;
use crate::usage::{TokenClass, Tokens};

const INPUTS: [&str; 3] =
    ["inputTextTokenCount", "prompt_token_count", "x-amzn-bedrock-input-token-count"];
const OUTPUTS: [&str; 2] = ["generation_token_count", "x-amzn-bedrock-output-token-count"];
const METRICS: &str = "amazon-bedrock-invocationMetrics";

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "bedrock/invoke_model",
    providers: &["bedrock", "aws_bedrock", "amazon_bedrock", "aws.bedrock"],
    apis: &["invoke_model", "invoke_model_with_response_stream", "InvokeModel", "batch"],
    fits,
    tells: |fields| fields.any(&INPUTS) || fields.any(&[METRICS]),
    update: anthropic_messages::DIALECT.update,
    is_cut_short: anthropic_messages::DIALECT.is_cut_short,
    read,
    ..PLAIN
};

fn fits(fields: &Fields) -> bool {
    const SHAPES: [&str; 4] = ["input_tokens", "output_tokens", "prompt_tokens", "results"];
    let is_native = fields.any(&INPUTS) || fields.any(&OUTPUTS) || fields.any(&[METRICS]);
    is_native || fields.any(&SHAPES) || (bedrock_converse::DIALECT.fits)(fields)
}

fn read(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    if block.has("input_tokens") || block.has("output_tokens") {
        return (anthropic_messages::DIALECT.read)(block, event);
    }
    if block.has("inputTokens") || block.has("inputTokenCount") {
        return bedrock_converse::read(block, event);
    }
    if block.has(METRICS) {
        return bedrock_converse::read(&block.section(METRICS)?, event);
    }
    if block.has("prompt_tokens") {
        return openai_compatible::read(block, event);
    }
    read_native(block)
}

fn read_native(block: &Block) -> Result<Reading, Rejection> {
    let mut reading = Reading::default();
    let input = block.first(&INPUTS)?;
    let output = written(block)?;
    reading.expect("inputTokenCount", input.is_some());
    reading.expect("outputTokenCount", output.is_some() || block.has("inputTextTokenCount"));
    if input.is_none() && output.is_none() {
        return Ok(reading);
    }
    let mut tokens = Tokens::default();
    tokens.set(TokenClass::InputText, input.map_or(0, |input| input.tokens));
    let cache = |field| block.tokens(field);
    let read = cache("x-amzn-bedrock-cache-read-input-token-count")?;
    tokens.set(TokenClass::CacheReadText, read);
    let written = cache("x-amzn-bedrock-cache-write-input-token-count")?;
    tokens.set(TokenClass::CacheWrite5m, written);
    tokens.set(TokenClass::OutputText, output.unwrap_or_default());
    reading.push(tokens);
    Ok(reading)
}

fn written(block: &Block) -> Result<Option<u64>, Rejection> {
    let named: Option<Count> = block.first(&OUTPUTS)?;
    let results = block.list("results")?;
    if named.is_some() || results.is_empty() {
        return Ok(named.map(|count| count.tokens));
    }
    let mut counts = Vec::new();
    for result in results {
        if !matches!(result, Json::Object(_)) {
            return Err(invalid("an element of `results` is not an object"));
        }
        counts.push(Block::new(result).tokens("tokenCount")?);
    }
    sum(&counts).map(Some)
}
