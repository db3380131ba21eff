//! The shape that OpenAI gave to counters and many others took over: a total per side, parts of it
//! in a details object beside it.
//!
//! All parts are inside their total: cached, written and audio tokens inside the input (of 2600
//! tokens 2000 cached, 400 written and 200 neither), reasoning, audio and predicted tokens inside
//! the output.
//! <https://developers.openai.com/api/docs/guides/prompt-caching>, as quoted in
//! <https://github.com/anomalyco/opencode/pull/44229>;
//! `CompletionUsageCompletionTokensDetails` in <https://docs.rs/crate/openai-client-base/0.12.0>,
//! made from OpenAI's API description (both read 2026-11-23).

use crate::event::{CallEvent, Rejection};
use crate::usage::block::{Block, Count, invalid, sum};
use crate::usage::modality::{Cached, Input, Modalities};
use crate::usage::reading::{MODALITY_SPLIT_ESTIMATED, Reading};
use crate::usage::{TokenClass, Tokens};

/// How one API spells the shape.
pub(super) struct Spelling {
    pub input: &'static str,
    pub input_details: &'static str,
    pub output: &'static str,
    pub output_details: &'static str,
}

/// Chat completions and everything that is compatible with it.
pub(super) const CHAT: Spelling = Spelling {
    input: "prompt_tokens",
    input_details: "prompt_tokens_details",
    output: "completion_tokens",
    output_details: "completion_tokens_details",
};

/// The responses API.
pub(super) const RESPONSES: Spelling = Spelling {
    input: "input_tokens",
    input_details: "input_tokens_details",
    output: "output_tokens",
    output_details: "output_tokens_details",
};

/// The realtime and audio APIs.
pub(super) const REALTIME: Spelling = Spelling {
    input: "input_tokens",
    input_details: "input_token_details",
    output: "output_tokens",
    output_details: "output_token_details",
};

/// How a block is spelled whose API does not tell.
pub(super) fn spelling_of(block: &Block) -> &'static Spelling {
    match block.has(CHAT.input) || block.has(CHAT.output) {
        true => &CHAT,
        false => &RESPONSES,
    }
}

/// What of the input was read from or written to the provider's cache.
#[derive(Default)]
pub(super) struct CacheParts {
    pub read: Option<Count>,
    pub written: Vec<(TokenClass, u64)>,
    /// Whether they stand beside the input instead of being parts of it.
    pub are_outside: bool,
}

impl CacheParts {
    /// All that was read from and written to the cache.
    pub fn total(&self) -> Result<u64, Rejection> {
        let written = self.written.iter().map(|(_, tokens)| *tokens);
        let read = self.read.map_or(0, |read| read.tokens);
        sum(&written.chain([read]).collect::<Vec<_>>())
    }
}

/// Where reasoning tokens are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reasoning {
    /// Inside the output.
    Inside,
    /// Beside it where only then the parts sum to the reported total, else inside.
    ByTotal,
    /// Beside it, unless the reported total leaves no room.
    Beside,
}

/// The cached tokens where OpenAI counts them.
pub(super) fn cache_read(block: &Block, spelling: &Spelling) -> Result<Option<Count>, Rejection> {
    block.section(spelling.input_details)?.count("cached_tokens")
}

/// Reads a block of this shape.
pub(super) fn read(
    block: &Block,
    spelling: &Spelling,
    cache: &CacheParts,
    reasoning: Reasoning,
    event: &CallEvent,
) -> Result<Reading, Rejection> {
    let mut reading = Reading::default();
    let (input, output) = (block.count(spelling.input)?, block.count(spelling.output)?);
    let total = block.count("total_tokens")?.map(|total| total.tokens);
    let is_all = |side: Option<Count>| side.is_some_and(|side| Some(side.tokens) == total);
    reading.expect(spelling.input, input.is_some());
    reading.expect(spelling.output, output.is_some() || is_all(input) || is_embedding(event));
    if input.is_none() && output.is_none() {
        return Ok(reading);
    }
    let mut tokens = Tokens::default();
    let mut sums = Vec::new();
    if let Some(input) = input {
        sums.push(read_input(block, spelling, input, cache, (&mut reading, &mut tokens))?);
    }
    if let Some(output) = output {
        let known = sum(&sums)?;
        let left = total.and_then(|total| total.checked_sub(known)?.checked_sub(output.tokens));
        let thought = block.section(spelling.output_details)?.tokens("reasoning_tokens")?;
        let is_beside = thought > 0
            && match reasoning {
                Reasoning::Inside => false,
                Reasoning::ByTotal => left == Some(thought),
                Reasoning::Beside => left != Some(0),
            };
        sums.push(read_output(block, spelling, output, is_beside, &mut tokens)?);
    }
    reading.compare("total_tokens", total, sum(&sums)?);
    reading.service_tier = block.text("service_tier");
    reading.push(tokens);
    Ok(reading)
}

fn read_input(
    block: &Block,
    spelling: &Spelling,
    input: Count,
    cache: &CacheParts,
    (reading, tokens): (&mut Reading, &mut Tokens),
) -> Result<u64, Rejection> {
    let details = block.section(spelling.input_details)?;
    let in_cache = cache.total()?;
    if let Some(read) = cache.read.filter(|_| !cache.are_outside) {
        read.within(&input)?;
    }
    let whole = if cache.are_outside { sum(&[input.tokens, in_cache])? } else { input.tokens };
    let media = media(&details, &input)?;
    let mut by = Modalities { text: whole, ..media };
    by.text = whole
        .checked_sub(media.total().unwrap_or(u64::MAX))
        .ok_or_else(|| invalid(format!("the parts of `{}` are more than it", input.name())))?;
    let read = cache.read.map_or(0, |read| read.tokens);
    check_listed(&details, &media, (in_cache, whole), reading)?;
    let mut cached = Cached::Unsplit(read);
    let split = details.section("cached_tokens_details")?;
    if split.json().is_some() {
        cached = Cached::Split(cached_split(&split, read)?);
    } else if media.is_mixed() && lists_uncached(&details, &media, in_cache, whole)? {
        // The modalities are those of the uncached rest, so all of the cache counts as text.
        cached = Cached::Split(Modalities { text: read, ..Modalities::default() });
        reading.flags.insert(MODALITY_SPLIT_ESTIMATED);
    }
    let input = Input { whole: by, cached, written: cache.written.clone() };
    let estimated = input.classify(tokens).ok_or_else(|| {
        invalid(format!("cached and written tokens are more than `{}`", spelling.input))
    })?;
    if estimated {
        reading.flags.insert(MODALITY_SPLIT_ESTIMATED);
    }
    Ok(whole)
}

/// The parts of a side that are not text.
fn media(details: &Block, whole: &Count) -> Result<Modalities, Rejection> {
    let part = |field| match details.count(field)? {
        Some(part) => part.within(whole).map(|()| part.tokens),
        None => Ok(0),
    };
    Ok(Modalities {
        text: 0,
        audio: part("audio_tokens")?,
        image: part("image_tokens")?,
        video: part("video_tokens")?,
    })
}

fn cached_split(split: &Block, read: u64) -> Result<Modalities, Rejection> {
    let media = Modalities {
        text: 0,
        audio: split.tokens("audio_tokens")?,
        image: split.tokens("image_tokens")?,
        video: split.tokens("video_tokens")?,
    };
    let text = read.checked_sub(media.total().unwrap_or(u64::MAX));
    let text = text.ok_or_else(|| invalid("the parts of `cached_tokens` are more than it"))?;
    Ok(Modalities { text, ..media })
}

/// Whether the listed modalities, text among them, leave the cached part out.
fn lists_uncached(
    details: &Block,
    media: &Modalities,
    in_cache: u64,
    whole: u64,
) -> Result<bool, Rejection> {
    let Some(text) = details.count("text_tokens")? else { return Ok(false) };
    let listed = Modalities { text: text.tokens, ..*media };
    let listed = listed.total().and_then(|listed| listed.checked_add(in_cache));
    Ok(in_cache > 0 && listed == Some(whole))
}

/// The modalities, where text is among them, are all of the input, or all but its cached part.
fn check_listed(
    details: &Block,
    media: &Modalities,
    (in_cache, whole): (u64, u64),
    reading: &mut Reading,
) -> Result<(), Rejection> {
    let Some(text) = details.count("text_tokens")?.filter(|text| text.tokens > 0) else {
        return Ok(());
    };
    let listed = Modalities { text: text.tokens, ..*media }.total();
    if listed != Some(whole) && listed.and_then(|sum| sum.checked_add(in_cache)) != Some(whole) {
        reading.flags.insert(format!("total_mismatch:{}", details.name()));
    }
    Ok(())
}

/// Returns what this side adds to the total.
fn read_output(
    block: &Block,
    spelling: &Spelling,
    output: Count,
    is_beside: bool,
    tokens: &mut Tokens,
) -> Result<u64, Rejection> {
    let details = block.section(spelling.output_details)?;
    for field in ["accepted_prediction_tokens", "rejected_prediction_tokens"] {
        details.count(field)?.map_or(Ok(()), |part| part.within(&output))?;
    }
    let media = media(&details, &output)?;
    let reasoning = details.count("reasoning_tokens")?;
    let thought = reasoning.map_or(0, |reasoning| reasoning.tokens);
    let inside = if is_beside { 0 } else { thought };
    if let Some(reasoning) = reasoning.filter(|_| !is_beside) {
        reasoning.within(&output)?;
    }
    let parts = sum(&[media.audio, media.image, media.video, inside])?;
    let text = output.tokens.checked_sub(parts);
    let text =
        text.ok_or_else(|| invalid(format!("the parts of `{}` are more than it", output.name())))?;
    tokens.set(TokenClass::OutputText, text);
    tokens.set(TokenClass::OutputReasoning, thought);
    tokens.set(TokenClass::OutputAudio, media.audio);
    tokens.set(TokenClass::OutputImage, media.image);
    tokens.set(TokenClass::OutputVideo, media.video);
    sum(&[output.tokens, thought - inside])
}

/// Embeddings have no output.
fn is_embedding(event: &CallEvent) -> bool {
    let names = [&event.api, &event.operation];
    names.into_iter().flatten().any(|name| name.to_lowercase().contains("embed"))
}
