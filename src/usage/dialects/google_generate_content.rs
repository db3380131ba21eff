//! Google's generateContent, on the Gemini API and on Vertex.
//!
//! - Cached tokens are part of the prompt, details divide their total by modality:
//!   <https://hexdocs.pm/geminix/Geminix.V1beta.UsageMetadata.html>, made from Google's API
//!   description (read 2026-11-23).
//! - The total is prompt + candidates + tool use + thoughts: `GenerateContentResponseUsageMetadata`
//!   in <https://googleapis.github.io/js-genai/> (read 2026-11-23). Some older answers counted
//!   thoughts among the candidates: the total tells.
//! - Every chunk of a stream repeats the counts cumulatively; a count of zero is left out.
//! - Tool-use tokens are billed as input (<https://github.com/vercel/ai/pull/16400>, read
//!   2026-11-23), except when search or maps grounding made them: what those read is in their fee.

use super::google_grounding;
use crate::event::{CallEvent, Json, Rejection};
use crate::usage::block::{Block, Count, invalid, sum};
use crate::usage::dialect::Dialect;
use crate::usage::modality::{Cached, Input, Modalities};
use crate::usage::reading::{MODALITY_SPLIT_ESTIMATED, Reading};
use crate::usage::response::last_value_wins;
use crate::usage::{TokenClass, Tokens};

/// Counts that make a block Google's, as the API and as its Python client spell them.
const COUNTS: [&str; 8] = [
    "promptTokenCount",
    "candidatesTokenCount",
    "totalTokenCount",
    "thoughtsTokenCount",
    "prompt_token_count",
    "candidates_token_count",
    "total_token_count",
    "thoughts_token_count",
];

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "google/generateContent",
    providers: &["google", "gemini", "vertex_ai"],
    apis: &[
        "generateContent",
        "streamGenerateContent",
        "batchGenerateContent",
        "embedContent",
        "batchEmbedContents",
        "batch",
    ],
    fits: |fields| fields.any(&COUNTS),
    tells: |fields| fields.any(&COUNTS),
    update: last_value_wins,
    is_cut_short: |_| false,
    read,
    units: google_grounding::units,
};

fn read(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    let mut reading = Reading::default();
    let mut tokens = Tokens::default();
    let prompt = block.count("promptTokenCount")?;
    let total = block.count("totalTokenCount")?.map(|total| total.tokens);
    reading.expect("promptTokenCount", prompt.is_some());
    if prompt.is_none() && total.is_some_and(|total| total > 0) && !has_output(block) {
        return Ok(reading);
    }
    if let Some(prompt) = prompt {
        read_prompt(block, prompt, &mut reading, &mut tokens)?;
    }
    let prompt = prompt.map_or(0, |prompt| prompt.tokens);
    let tool = block.tokens("toolUsePromptTokenCount")?;
    if tool > 0 && google_grounding::is_grounded(event)? {
        reading.flags.insert("tool_prompt_tokens_not_billed");
    } else {
        tokens.set(TokenClass::InputTool, tool);
    }
    let input = sum(&[prompt, tool])?;
    let left = total.and_then(|total| total.checked_sub(input));
    let output = read_candidates(block, left, &mut reading, &mut tokens)?;
    reading.compare("totalTokenCount", total, sum(&[input, output])?);
    reading.service_tier = block.text("trafficType").or_else(|| block.text("serviceTier"));
    reading.fact("traffic_type", block.text("trafficType"));
    reading.push(tokens);
    Ok(reading)
}

fn has_output(block: &Block) -> bool {
    block.has("candidatesTokenCount") || block.has("thoughtsTokenCount")
}

fn read_prompt(
    block: &Block,
    prompt: Count,
    reading: &mut Reading,
    tokens: &mut Tokens,
) -> Result<(), Rejection> {
    let cached = block.count("cachedContentTokenCount")?;
    cached.map_or(Ok(()), |cached| cached.within(&prompt))?;
    // Embeddings spell the list in the singular.
    let listed = match by_modality(block, "promptTokensDetails", prompt.tokens)? {
        None => by_modality(block, "promptTokenDetails", prompt.tokens)?,
        listed => listed,
    };
    let cached_listed = match cached {
        Some(cached) => by_modality(block, "cacheTokensDetails", cached.tokens)?,
        None => None,
    };
    // Without a list of the prompt, the cached part still tells what is not text.
    let media = listed.or(cached_listed).map_or(Modalities::default(), |listed| listed.listed);
    let text = prompt.tokens - media.audio - media.image - media.video;
    let input = Input {
        whole: Modalities { text, ..media },
        cached: match (cached, cached_listed) {
            (_, Some(listed)) => Cached::Split(listed.completed),
            (cached, None) => Cached::Unsplit(cached.map_or(0, |cached| cached.tokens)),
        },
        written: Vec::new(),
    };
    let estimated = input
        .classify(tokens)
        .ok_or_else(|| invalid("`cacheTokensDetails` is more than `promptTokensDetails`"))?;
    let is_incomplete = listed.is_some_and(|listed| listed.listed != listed.completed);
    if estimated || is_incomplete || (listed.is_none() && media.is_mixed()) {
        reading.flags.insert(MODALITY_SPLIT_ESTIMATED);
    }
    Ok(())
}

/// Returns what the output adds to the total; `left` is what the total leaves for it.
fn read_candidates(
    block: &Block,
    left: Option<u64>,
    reading: &mut Reading,
    tokens: &mut Tokens,
) -> Result<u64, Rejection> {
    let candidates = block.first(&["candidatesTokenCount", "responseTokenCount"])?;
    let candidates = candidates.map_or(0, |candidates| candidates.tokens);
    let thoughts = block.tokens("thoughtsTokenCount")?;
    let are_inside = thoughts > 0 && thoughts <= candidates && left == Some(candidates);
    let visible = if are_inside { candidates - thoughts } else { candidates };
    let name = if block.has("candidatesTokensDetails") {
        "candidatesTokensDetails"
    } else {
        "responseTokensDetails"
    };
    let listed = by_modality(block, name, candidates)?;
    let media = listed.map_or(Modalities::default(), |listed| listed.listed);
    let text = visible.checked_sub(sum(&[media.audio, media.image, media.video])?);
    let text = text.ok_or_else(|| invalid(format!("`{name}` is more than what it is part of")))?;
    if listed.is_some_and(|listed| listed.listed != listed.completed) {
        reading.flags.insert(MODALITY_SPLIT_ESTIMATED);
    }
    tokens.set(TokenClass::OutputText, text);
    tokens.set(TokenClass::OutputReasoning, thoughts);
    tokens.set(TokenClass::OutputAudio, media.audio);
    tokens.set(TokenClass::OutputImage, media.image);
    tokens.set(TokenClass::OutputVideo, media.video);
    sum(&[visible, thoughts])
}

/// A total by modality: as listed, and with what the list leaves out counted as text.
#[derive(Clone, Copy)]
struct Listed {
    listed: Modalities,
    completed: Modalities,
}

fn by_modality(
    block: &Block,
    field: &'static str,
    whole: u64,
) -> Result<Option<Listed>, Rejection> {
    let mut listed = Modalities::default();
    let items = block.list(field)?;
    for item in items {
        if !matches!(item, Json::Object(_)) {
            return Err(invalid(format!("an element of `{field}` is not an object")));
        }
        let item = Block::new(item);
        let slot = match item.text("modality").as_deref() {
            Some("audio") => &mut listed.audio,
            // PDF pages are read as images.
            Some("image" | "document") => &mut listed.image,
            Some("video") => &mut listed.video,
            _ => &mut listed.text,
        };
        *slot = sum(&[*slot, item.tokens("tokenCount")?])?;
    }
    let rest = listed.total().and_then(|total| whole.checked_sub(total));
    let rest = rest.ok_or_else(|| invalid(format!("`{field}` is more than what it is part of")))?;
    let completed = Modalities { text: listed.text + rest, ..listed };
    Ok((!items.is_empty()).then_some(Listed { listed, completed }))
}
