//! The keys of a `ModelPrice`: what is priced, and by how many.

/// The class or unit that a key prices, and its divisor where that is not a million tokens. `None`
/// means nothing to us. Where a map states `input_audio_hours` beside `audio_hours`, the model has
/// one basis and the latter is it.
pub(super) fn item(provider: &str, model: &str, key: &str) -> Option<(&'static str, Option<u64>)> {
    if let Some(class) = key.strip_suffix("_mtok").and_then(token_class) {
        return Some((class, None));
    }
    let unit = match key {
        "web_searches_kcount" => (web_search(provider, model), 1_000),
        "storage_searches_kcount" => ("file_search_call", 1_000),
        "requests_kcount" => ("requests", 1_000),
        "input_text_messages_kcount" => ("text_messages", 1_000),
        "input_document_kpages" => ("pages", 1_000),
        "input_annotated_document_kpages" => ("annotated_pages", 1_000),
        "audio_hours" | "input_audio_hours" => ("audio_seconds", 3_600),
        "rerank_searches_kcount" => ("search_units", 1_000),
        "input_gpixels" => ("pixels", 1_000_000_000),
        "input_mchars" => ("input_characters", 1_000_000),
        _ => return None,
    };
    Some((unit.0, Some(unit.1)))
}

fn token_class(key: &str) -> Option<&'static str> {
    Some(match key {
        "input" | "input_text" => "input_text",
        "input_audio" => "input_audio",
        "input_image" => "input_image",
        "input_video" => "input_video",
        "input_tool" | "input_text_tool" => "input_tool",
        "output" | "output_text" => "output_text",
        "output_audio" => "output_audio",
        "output_image" => "output_image",
        "output_video" => "output_video",
        "output_reasoning" | "output_text_reasoning" => "output_reasoning",
        "output_citation" | "output_text_citation" => "citation",
        "cache_read" | "cache_text_read" => "cache_read_text",
        "cache_audio_read" => "cache_read_audio",
        "cache_image_read" => "cache_read_image",
        "cache_video_read" => "cache_read_video",
        "cache_write" | "cache_text_write" => "cache_write",
        "cache_write_5m" | "cache_text_write_5m" => "cache_write_5m",
        "cache_write_1h" | "cache_text_write_1h" => "cache_write_1h",
        _ => return None,
    })
}

/// Gemini 2 is billed by the grounded prompt, Gemini 3 and later by the query.
/// <https://ai.google.dev/gemini-api/docs/pricing>, as metering notes of 2026-11-23 have it.
fn web_search(provider: &str, model: &str) -> &'static str {
    let by_prompt = ["gemini-1", "gemini-2"].iter().any(|old| model.starts_with(old));
    match provider {
        "google" if by_prompt => "web_search_prompt",
        "google" if model.starts_with("gemini") => "web_search_query",
        "perplexity" => "web_search_query",
        _ => "web_search_call",
    }
}
