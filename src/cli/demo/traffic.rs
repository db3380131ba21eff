//! The demo's traffic: generated, seeded, and saying so in every event.
//!
//! Three days of calls of four tenants, through four providers' dialects; one feature runs wild in
//! the last closed hours. Among the calls: cached ones, one of a model that no price book knows,
//! one that failed, one sent twice and one that is broken.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::time::Timestamp;

const HOURS: i64 = 72;
const SEED: u64 = 7;
/// The hours, counted back from the end, in which one feature runs wild.
const WILD_HOURS: std::ops::RangeInclusive<i64> = 2..=3;

/// One feature of one tenant: who calls which model, and how much.
struct Feature {
    tenant: &'static str,
    team: &'static str,
    feature: &'static str,
    provider: &'static str,
    api: &'static str,
    model: &'static str,
    calls_per_hour: u32,
}

const FEATURES: [Feature; 6] = [
    feature("acme", "support", "support-bot", ANTHROPIC, "claude-sonnet-4-5", 6),
    feature("acme", "search", "answers", OPENAI, "gpt-5-mini", 9),
    feature("globex", "docs", "summaries", GOOGLE, "gemini-2.5-flash", 8),
    feature("globex", "research", "deep-dives", OPENAI_RESPONSES, "gpt-5", 2),
    feature("initech", "sales", "emails", OPENAI, "gpt-4o-mini", 7),
    feature("umbrella", "lab", "triage", LITELLM, "claude-haiku-4-5", 4),
];

const ANTHROPIC: (&str, &str) = ("anthropic", "messages");
const GOOGLE: (&str, &str) = ("google", "generateContent");
const LITELLM: (&str, &str) = ("litellm_proxy", "chat.completions");
const OPENAI: (&str, &str) = ("openai", "chat.completions");
const OPENAI_RESPONSES: (&str, &str) = ("openai", "responses");

const fn feature(
    tenant: &'static str,
    team: &'static str,
    feature: &'static str,
    (provider, api): (&'static str, &'static str),
    model: &'static str,
    calls_per_hour: u32,
) -> Feature {
    Feature { tenant, team, feature, provider, api, model, calls_per_hour }
}

/// The events, one JSON text each, oldest first, up to the hour that `now` lies in.
pub fn events(now: Timestamp) -> Vec<String> {
    let mut random = StdRng::seed_from_u64(SEED);
    let end = now.hour_start();
    let mut events = Vec::new();
    for hours_back in (1..=HOURS).rev() {
        let hour = end.plus_seconds(-3_600 * hours_back);
        for feature in &FEATURES {
            let wild = feature.feature == "support-bot" && WILD_HOURS.contains(&hours_back);
            let calls = if wild { 240 } else { random.random_range(1..=feature.calls_per_hour) };
            for _ in 0..calls {
                let at = hour.plus_seconds(random.random_range(0..3_600));
                let usage = if wild { wild_usage(&mut random) } else { feature.usage(&mut random) };
                let event = feature.call(&mut random, at, events.len(), usage);
                events.push(event.to_string());
            }
        }
    }
    events.extend(oddities(end, &events));
    events
}

/// A conversation that never ends.
fn wild_usage(random: &mut StdRng) -> Value {
    json!({
        "input_tokens": random.random_range(40_000..60_000_u32),
        "output_tokens": random.random_range(900..1_500_u32),
    })
}

/// What real traffic has too: an unknown model, a failed call, a repetition, a broken event.
fn oddities(end: Timestamp, events: &[String]) -> Vec<String> {
    let at = end.plus_seconds(-1_800).to_string();
    let unknown = json!({
        "event_id": "demo-unknown-model", "source": "demo-gateway", "occurred_at": at,
        "provider": "openai", "api": "chat.completions", "model": "gpt-from-the-future",
        "usage": {"prompt_tokens": 1200, "completion_tokens": 300, "total_tokens": 1500},
        "tenant": "initech", "team": "sales", "feature": "emails",
        "tags": {"generated": "true"},
    });
    let failed = json!({
        "event_id": "demo-failed", "source": "demo-gateway", "occurred_at": at,
        "provider": "openai", "api": "chat.completions", "model": "gpt-4o-mini",
        "usage": null, "status": "failed", "http_status": 429, "error_type": "rate_limit",
        "tenant": "initech", "team": "sales", "feature": "emails",
        "tags": {"generated": "true"},
    });
    let broken = json!({
        "event_id": "demo-broken", "source": "demo-gateway", "occurred_at": at,
        "provider": "openai", "api": "chat.completions", "model": "gpt-4o-mini",
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
                  "prompt_tokens_details": {"cached_tokens": 20}},
        "tenant": "initech",
    });
    let mut odd = vec![unknown.to_string(), failed.to_string(), broken.to_string()];
    odd.extend(events.first().cloned());
    odd
}

impl Feature {
    fn call(&self, random: &mut StdRng, at: Timestamp, number: usize, usage: Value) -> Value {
        json!({
            "event_id": format!("demo-{number:05}"),
            "source": "demo-gateway",
            "occurred_at": at.to_string(),
            "provider": self.provider,
            "api": self.api,
            "model": self.model,
            "usage": usage,
            "tenant": self.tenant,
            "team": self.team,
            "feature": self.feature,
            "environment": "demo",
            "latency_ms": random.random_range(300..4_000_u32),
            "tags": {"generated": "true"},
        })
    }

    fn usage(&self, random: &mut StdRng) -> Value {
        let input = random.random_range(800..9_000_u32);
        let cached = if random.random_bool(0.4) { input / 2 } else { 0 };
        let output = random.random_range(50..900_u32);
        match (self.provider, self.api) {
            ANTHROPIC => json!({
                "input_tokens": input, "cache_read_input_tokens": cached,
                "cache_creation_input_tokens": 0, "output_tokens": output,
            }),
            GOOGLE => json!({
                "promptTokenCount": input, "cachedContentTokenCount": cached,
                "candidatesTokenCount": output, "thoughtsTokenCount": output / 3,
                "totalTokenCount": input + output + output / 3,
            }),
            OPENAI_RESPONSES => json!({
                "input_tokens": input, "input_tokens_details": {"cached_tokens": cached},
                "output_tokens": output, "output_tokens_details": {"reasoning_tokens": output / 2},
                "total_tokens": input + output,
            }),
            _ => json!({
                "prompt_tokens": input, "prompt_tokens_details": {"cached_tokens": cached},
                "completion_tokens": output, "total_tokens": input + output,
            }),
        }
    }
}
