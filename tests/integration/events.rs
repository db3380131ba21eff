//! Generated call events: seeded, of every dialect that is metered exactly, for several tenants.

use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

const TENANTS: [&str; 5] = ["acme", "globex", "initech", "umbrella", "hooli"];

/// The events, an hour of them up to now, some of them sent twice.
pub fn generated(seed: u64, count: usize) -> Vec<String> {
    let mut random = StdRng::seed_from_u64(seed);
    let now = jiff::Timestamp::now().as_millisecond();
    let mut events: Vec<String> = Vec::with_capacity(count);
    for number in 0..count {
        if number > 10 && random.random_bool(0.01) {
            let again = random.random_range(0..number);
            events.push(events[again].clone());
            continue;
        }
        let at = now - random.random_range(0..3_600_000);
        events.push(event(&mut random, seed, number, at).to_string());
    }
    events
}

fn event(random: &mut StdRng, seed: u64, number: usize, at: i64) -> Value {
    let input = random.random_range(10..20_000_u64);
    let read = if random.random_bool(0.4) { input / 3 } else { 0 };
    let output = random.random_range(1..2_000_u64);
    let (provider, api, model, usage) = match number % 7 {
        0 | 1 => (
            "openai",
            "chat.completions",
            "gpt-4o-mini",
            json!({
                "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
                "prompt_tokens_details": {"cached_tokens": read},
            }),
        ),
        2 => (
            "openai",
            "responses",
            "gpt-5",
            json!({
                "input_tokens": input, "output_tokens": output, "total_tokens": input + output,
                "input_tokens_details": {"cached_tokens": read},
                "output_tokens_details": {"reasoning_tokens": output / 2},
            }),
        ),
        3 => (
            "anthropic",
            "messages",
            "claude-sonnet-4-5",
            json!({
                "input_tokens": input, "output_tokens": output, "cache_read_input_tokens": read,
                "cache_creation_input_tokens": read + 40,
                "cache_creation": {"ephemeral_5m_input_tokens": read,
                                   "ephemeral_1h_input_tokens": 40},
            }),
        ),
        4 => (
            "google",
            "generateContent",
            "gemini-2.5-flash",
            json!({
                "promptTokenCount": input, "cachedContentTokenCount": read,
                "candidatesTokenCount": output, "thoughtsTokenCount": output / 4,
                "totalTokenCount": input + output + output / 4,
            }),
        ),
        5 => (
            "litellm_proxy",
            "chat.completions",
            "claude-haiku-4-5",
            json!({
                "prompt_tokens": input + read, "completion_tokens": output,
                "total_tokens": input + read + output,
                "prompt_tokens_details": {"cached_tokens": read, "cache_creation_tokens": 0},
                "cache_read_input_tokens": read, "cache_creation_input_tokens": 0,
            }),
        ),
        _ if number % 49 == 6 => (
            "openai",
            "chat.completions",
            "gpt-unheard-of",
            json!({
                "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
            }),
        ),
        _ => (
            "openai",
            "chat.completions",
            "gpt-5",
            json!({
                "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
            }),
        ),
    };
    json!({
        "event_id": format!("{seed}-{number}"), "source": "generator", "occurred_at": at,
        "provider": provider, "api": api, "model": model, "usage": usage,
        "tenant": TENANTS[random.random_range(0..TENANTS.len())], "feature": "load",
    })
}

/// Writes events as NDJSON.
pub fn written(dir: &Path, events: &[String]) -> PathBuf {
    let path = dir.join("events.ndjson");
    std::fs::write(&path, events.join("\n") + "\n").expect("written");
    path
}
