//! Real answers of providers, where they are at hand beside the checkout: each is read as another
//! tool reads it, or `docs/usage_bodies.md` says why not.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::{outcome, parsed};

/// What is compared: the other tool's names for ours, summed.
const FIELDS: [(&str, &[&str]); 14] = [
    ("input_tokens", &["input_", "cache_"]),
    ("output_tokens", &["output_"]),
    ("cache_read_tokens", &["cache_read_"]),
    ("cache_write_tokens", &["cache_write"]),
    ("cache_write_5m_tokens", &["cache_write_5m"]),
    ("cache_text_read_tokens", &["cache_read_text"]),
    ("cache_image_read_tokens", &["cache_read_image"]),
    ("input_image_tokens", &["input_image", "cache_read_image"]),
    ("input_audio_tokens", &["input_audio", "cache_read_audio"]),
    ("input_video_tokens", &["input_video", "cache_read_video"]),
    ("input_tool_tokens", &["input_tool"]),
    ("output_reasoning_tokens", &["output_reasoning"]),
    ("output_image_tokens", &["output_image"]),
    ("web_searches", &["web_search_"]),
];

/// Names that only repeat what the others leave, so that their absence says nothing.
const TOLD_ONLY: [(&str, &[&str]); 2] = [
    ("input_text_tokens", &["input_text", "cache_read_text", "cache_write", "input_tool"]),
    ("output_text_tokens", &["output_text"]),
];

/// Who answered: our provider and API, the other tool's.
struct Source {
    ours: (&'static str, &'static str),
    theirs: (&'static str, &'static str),
}

const fn source(
    ours: (&'static str, &'static str),
    theirs: (&'static str, &'static str),
) -> Source {
    Source { ours, theirs }
}

/// Told by the shape, and among those who share one by the recording's name.
fn source_of(body: &Value) -> Source {
    let usage = &body["usage"];
    let file = body["file"].as_str().unwrap_or_default();
    let is_from = |name: &str| file.contains(name);
    if body["usageMetadata"].is_object() {
        return source(("google", "generateContent"), ("google", "default"));
    }
    if body["meta"].is_object() {
        return source(("cohere", "embed"), ("cohere", "embeddings"));
    }
    if usage["billed_units"].is_object() {
        return source(("cohere", "chat"), ("cohere", "default"));
    }
    if usage["inputTokens"].is_number() {
        return source(("bedrock", "converse"), ("aws", "default"));
    }
    if usage["input_tokens"].is_number() && usage["input_tokens_details"].is_object() {
        let provider = if is_from("openrouter") { "openrouter" } else { "openai" };
        return source((provider, "responses"), ("openai", "responses"));
    }
    if usage["input_tokens"].is_number() {
        return source(("anthropic", "messages"), ("anthropic", "default"));
    }
    let chat = |provider| (provider, "chat.completions");
    match () {
        () if is_from("openrouter") => source(chat("openrouter"), ("openrouter", "chat")),
        () if is_from("groq") => source(chat("groq"), ("groq", "default")),
        () if is_from("mistral") => source(chat("mistral"), ("mistral", "default")),
        () if is_from("cerebras") => source(chat("cerebras"), ("cerebras", "chat")),
        () if is_from("deepseek") => source(chat("deepseek"), ("deepseek", "chat")),
        () if usage["completion_tokens"].is_null()
            && usage["completion_tokens_details"].is_null() =>
        {
            source(("openai", "embeddings"), ("openai", "embeddings"))
        }
        () => source(chat("openai"), ("openai", "chat")),
    }
}

/// The other tool's counts, by the extractor that fits.
fn theirs<'a>(case: &'a Value, source: &Source) -> Option<&'a Value> {
    let is_it = |extractor: &Value| {
        extractor["provider_id"] == source.theirs.0 && extractor["api_flavor"] == source.theirs.1
    };
    let groups = case["extracted"].as_array()?;
    let group = groups.iter().find(|group| {
        group["extractors"].as_array().is_some_and(|extractors| extractors.iter().any(is_it))
    })?;
    Some(&group["usage"])
}

fn sum(told: &Value, prefixes: &[&str]) -> u64 {
    let counts = ["tokens", "units"].into_iter().filter_map(|part| told[part].as_object());
    let counts = counts.flatten().filter(|(name, _)| {
        let name = name.as_str();
        prefixes.iter().any(|prefix| match prefix.ends_with(['_']) {
            true => name.starts_with(prefix),
            false => name == *prefix || (*prefix == "cache_write" && name.starts_with(prefix)),
        })
    });
    let count = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    counts.filter_map(|(_, value)| count(value)).sum()
}

/// The fields in which our reading of one body differs.
fn differences(told: &Value, theirs: &Value) -> Vec<&'static str> {
    let all = FIELDS.iter().filter(|(name, ours)| {
        sum(told, ours) != theirs[name].as_u64().unwrap_or_default()
            && !(*name == "cache_write_5m_tokens" && theirs[name].is_null())
            && !(name.starts_with("cache_text") && theirs[name].is_null())
    });
    let told_only = TOLD_ONLY
        .iter()
        .filter(|(name, ours)| theirs[name].as_u64().is_some_and(|count| count != sum(told, ours)));
    all.chain(told_only).map(|(name, _)| *name).collect()
}

/// Rows of the table in the docs: provider, fields, number of bodies.
fn explained() -> BTreeMap<(String, String), usize> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/usage_bodies.md");
    let text = std::fs::read_to_string(path).expect("the table of explanations");
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [provider, fields, bodies, why] = cells.as_slice() else { return None };
        let bodies = bodies.parse().ok()?;
        assert!(why.contains("https://"), "no link explains {line}");
        Some(((provider.to_string(), fields.replace('`', "")), bodies))
    });
    rows.collect()
}

#[test]
fn every_difference_from_another_reading_is_explained() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/usage_bodies.jsonl.gz");
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return;
    }
    let unpacked = Command::new("gzip").arg("-dc").arg(&path).output().expect("gzip");
    let text = String::from_utf8(unpacked.stdout).expect("text");
    let mut found: BTreeMap<(String, String), usize> = BTreeMap::new();
    let (mut equal, mut all) = (0, 0);
    for case in text.lines().map(parsed) {
        all += 1;
        let source = source_of(&case["body"]);
        let told = outcome(&json!({
            "provider": source.ours.0, "api": source.ours.1, "model": case["model"],
            "usage": case["body"],
        }));
        let theirs = theirs(&case, &source);
        let theirs = theirs.unwrap_or_else(|| panic!("no extractor fits {}", case["body"]));
        let fields = match told["rejection"].as_str() {
            Some(code) => vec![code],
            None => differences(&told, theirs),
        };
        if fields.is_empty() {
            equal += 1;
        } else {
            println!("{} {fields:?}\n  {told}\n  {theirs}\n  {}", source.ours.0, case["body"]);
            *found.entry((source.ours.0.to_owned(), fields.join(", "))).or_default() += 1;
        }
    }
    println!("{equal} of {all} bodies are read alike; {found:?}");
    assert_eq!(found, explained());
}
