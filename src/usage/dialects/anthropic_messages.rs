//! Anthropic messages: input, cache reads and cache writes stand side by side and are added.
//!
//! - The three input counts are disjoint: the prompt-caching guide, as quoted in
//!   <https://github.com/infiniflow/ragflow/pull/17629>. `cache_creation` splits the writes by
//!   lifetime; without it they live five minutes, the default.
//! - `message_delta` repeats the counts cumulatively, so the last one counts: the streaming guide,
//!   as quoted in <https://github.com/cline/cline/issues/4346>.
//! - The top level is the sum of all iterations but compaction; the sum of `iterations` is billed:
//!   <https://platform.claude.com/docs/en/build-with-claude/compaction#understanding-usage>, as
//!   quoted in <https://github.com/BerriAI/litellm/issues/27060>. Declined fallbacks are not
//!   (<https://github.com/maximhq/bifrost/pull/6500>).
//! - A fee per search; fetches cost tokens only:
//!   <https://claudecodeguides.com/claude-web-search-costs-10-per-thousand/>.
//!
//! All read 2026-11-23. Thinking is part of the output, as real answers show.

use crate::event::{CallEvent, Json, Rejection};
use crate::usage::block::{Block, Count, invalid, number, sum};
use crate::usage::dialect::Dialect;
use crate::usage::reading::Reading;
use crate::usage::response::last_value_wins;
use crate::usage::{TokenClass, Tokens};

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "anthropic/messages",
    providers: &["anthropic", "vertex_ai", "azure_ai"],
    apis: &["messages", "message_batches"],
    fits: |fields| {
        fields.any(&["input_tokens", "output_tokens"])
            && !fields.any(&["prompt_tokens", "input_tokens_details"])
    },
    tells: |fields| {
        fields.any(&["input_tokens", "output_tokens"])
            && !fields.any(&["prompt_tokens", "input_tokens_details"])
    },
    update,
    is_cut_short: |kinds| kinds.contains(&"message_start") && !kinds.contains(&"message_delta"),
    read,
    units: |_| Ok(Vec::new()),
};

/// The counts of the input side.
const INPUT: [&str; 4] =
    ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation"];

/// The last value wins, but an input side of nothing but zeros, as relays send it with the last
/// event, says nothing: no request reads nothing.
fn update(earlier: &mut Json, later: &Json) {
    match later {
        Json::Object(fields) if !has_input(later) && has_input(earlier) => {
            let output = fields.iter().filter(|(name, _)| !INPUT.contains(&name.as_str()));
            last_value_wins(earlier, &Json::Object(output.cloned().collect()));
        }
        _ => last_value_wins(earlier, later),
    }
}

fn has_input(block: &Json) -> bool {
    let counts = INPUT.iter().filter_map(|name| number(block.field(name)?));
    counts.into_iter().any(|count| !count.is_zero())
}

fn read(block: &Block, _event: &CallEvent) -> Result<Reading, Rejection> {
    let mut reading = Reading::default();
    let (input, output) = (block.count("input_tokens")?, block.count("output_tokens")?);
    reading.expect("input_tokens", input.is_some());
    reading.expect("output_tokens", output.is_some());
    let whole = request(block)?;
    let iterations = block.list("iterations")?;
    if iterations.is_empty() {
        reading.push(whole);
    } else {
        read_iterations(&mut reading, whole, iterations)?;
    }
    let tools = block.section("server_tool_use")?;
    reading.add_units([
        ("web_search_call", tools.tokens("web_search_requests")?),
        ("web_fetch_call", tools.tokens("web_fetch_requests")?),
    ]);
    reading.service_tier = block.text("service_tier");
    reading.fact("inference_geo", block.text("inference_geo"));
    reading.fact("speed", block.text("speed"));
    Ok(reading)
}

/// One priced request per iteration; the top level repeats the one that answered, with more detail.
fn read_iterations(
    reading: &mut Reading,
    whole: Tokens,
    iterations: &[Json],
) -> Result<(), Rejection> {
    let mut answered = Tokens::default();
    let mut answers = 0_u32;
    for iteration in iterations {
        if iteration.as_object().is_none() {
            return Err(invalid("an element of `iterations` is not an object"));
        }
        let tokens = request(&Block::new(iteration))?;
        match iteration.field("type").and_then(Json::as_text) {
            Some("compaction") => {}
            None | Some("message") => {
                let sum = answered.add_all(&tokens);
                sum.ok_or_else(|| invalid("the counts of `iterations` overflow"))?;
                answers = answers.saturating_add(1);
            }
            Some(_) => {
                reading.flags.insert("iteration_not_read");
                continue;
            }
        }
        reading.push(tokens);
    }
    let sums = |tokens: &Tokens| (tokens.total_input(), tokens.total_output());
    if sums(&answered) != sums(&whole) {
        reading.flags.insert("total_mismatch:iterations");
    } else if answers == 1 {
        let answer = reading.requests.iter_mut().find(|request| request.tokens == answered);
        answer.into_iter().for_each(|request| request.tokens = whole.clone());
    }
    Ok(())
}

fn request(block: &Block) -> Result<Tokens, Rejection> {
    let mut tokens = Tokens::default();
    tokens.set(TokenClass::InputText, block.tokens("input_tokens")?);
    tokens.set(TokenClass::CacheReadText, block.tokens("cache_read_input_tokens")?);
    for (class, written) in written(block)? {
        tokens.set(class, written);
    }
    let thinking = block.section("output_tokens_details")?.count("thinking_tokens")?;
    match (block.count("output_tokens")?, thinking) {
        (Some(output), Some(thinking)) => {
            thinking.within(&output)?;
            tokens.set(TokenClass::OutputText, output.tokens - thinking.tokens);
            tokens.set(TokenClass::OutputReasoning, thinking.tokens);
        }
        (output, _) => tokens.set(TokenClass::OutputText, output.map_or(0, |output| output.tokens)),
    }
    Ok(tokens)
}

fn written(block: &Block) -> Result<Vec<(TokenClass, u64)>, Rejection> {
    let all = block.count("cache_creation_input_tokens")?;
    let split = block.section("cache_creation")?;
    let minutes = split.count("ephemeral_5m_input_tokens")?;
    let hour = split.count("ephemeral_1h_input_tokens")?;
    if minutes.is_none() && hour.is_none() {
        return Ok(vec![(TokenClass::CacheWrite5m, all.map_or(0, |all| all.tokens))]);
    }
    let count = |part: Option<Count>| part.map_or(0, |part| part.tokens);
    let known = sum(&[count(minutes), count(hour)])?;
    let rest = all.map_or(known, |all| all.tokens).checked_sub(known).ok_or_else(|| {
        invalid("the parts of `cache_creation` are more than `cache_creation_input_tokens`")
    })?;
    Ok(vec![
        (TokenClass::CacheWrite5m, count(minutes)),
        (TokenClass::CacheWrite1h, count(hour)),
        (TokenClass::CacheWrite, rest),
    ])
}
