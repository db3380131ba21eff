//! The map's keys that are not token prices: units, nested tables, multipliers.
//!
//! Keys as of PyPI litellm 1.109.1, read 2026-11-23.

use super::entry::Entry;
use super::key::Key;
use crate::event::Json;
use crate::money::Decimal;
use crate::pricing::Report;
use crate::pricing::condition::ContextRange;
use crate::pricing::hours::Hours;
use crate::pricing::import::write::{Block, Group, Multiplier, Rate};
use crate::pricing::row::STANDARD;
use crate::pricing::zone::Zone;

/// What a key that prices no tokens prices.
pub(super) enum Unit {
    Priced(String, Option<u64>),
    /// Said by another key of the entry, or not part of a call's price.
    Elsewhere,
    Unknown,
}

/// The unit behind a key. Where a map states one price on the input and the output side, the model
/// has one basis and the input side is it.
pub(super) fn unit(entry: &Entry<'_>, key: &Key<'_>) -> Unit {
    let mode = entry.text("mode");
    let one = |name: &str| Unit::Priced(name.to_owned(), None);
    match key.base {
        "input_cost_per_token_cache_hit" => match entry.number("cache_read_input_token_cost") {
            Some(_) => Unit::Elsewhere,
            None => one("cache_read_text"),
        },
        "input_cost_per_second" => match mode {
            "audio_transcription" | "audio_speech" | "realtime" => one("audio_seconds"),
            _ => Unit::Unknown,
        },
        "output_cost_per_second" if entry.number("input_cost_per_second").is_some() => {
            Unit::Elsewhere
        }
        "output_cost_per_second" | "output_cost_per_video_per_second" => match mode {
            "audio_transcription" | "audio_speech" => one("audio_seconds"),
            "video_generation" => one("video_seconds"),
            _ => Unit::Unknown,
        },
        "input_cost_per_audio_per_second" => one("input_audio_seconds"),
        "input_cost_per_video_per_second" => one("input_video_seconds"),
        "input_cost_per_character" => one("input_characters"),
        "output_cost_per_character" => one("output_characters"),
        "input_cost_per_image" => input_image(entry, mode),
        "output_cost_per_image" => one(&image_unit(entry.model)),
        "input_cost_per_pixel" => one("pixels"),
        "output_cost_per_pixel" => match entry.number("input_cost_per_pixel") {
            Some(amount) if !amount.is_zero() => Unit::Elsewhere,
            _ => one("output_pixels"),
        },
        "input_cost_per_query" if mode == "rerank" => one("search_units"),
        "input_cost_per_query" => one("queries"),
        "input_cost_per_request" => one("requests"),
        "input_cost_per_text_message" => one("text_messages"),
        "ocr_cost_per_page" => one("pages"),
        "ocr_cost_per_credit" => one("ocr_credits"),
        "annotation_cost_per_page" => one("annotated_pages"),
        "code_interpreter_cost_per_session" => one("code_interpreter_session"),
        "file_search_cost_per_1k_calls" => Unit::Priced("file_search_call".to_owned(), Some(1_000)),
        "google_maps_grounding_cost_per_query" => match entry.text("web_search_billing_unit") {
            "per_query" => one("maps_query"),
            _ => one("maps_prompt"),
        },
        // The same money in another unit: the entry's token prices are in USD.
        "input_dbu_cost_per_token" | "output_dbu_cost_per_token" => Unit::Elsewhere,
        base => match base.strip_prefix("output_cost_per_second_") {
            Some(resolution) if mode == "video_generation" => {
                one(&format!("video_seconds_{resolution}"))
            }
            _ => match base.strip_prefix("output_cost_per_image_") {
                Some(size) if size != "token" => one(&format!("image_{size}")),
                _ => Unit::Unknown,
            },
        },
    }
}

fn input_image(entry: &Entry<'_>, mode: &str) -> Unit {
    let generated = matches!(mode, "image_generation" | "image_edit");
    let output_side = entry.number("output_cost_per_image").is_some();
    let name =
        if generated && !output_side { image_unit(entry.model) } else { "input_images".into() };
    Unit::Priced(name, None)
}

/// `low/1024-x-1536/gpt-image-1` prices images of that quality and size.
fn image_unit(model: &str) -> String {
    match size_and_quality(model) {
        Some((dimensions, _)) => format!("image_{dimensions}"),
        None => "images".to_owned(),
    }
}

/// The dimensions in front of a model's name, and the name.
pub(super) fn size_and_quality(model: &str) -> Option<(String, &str)> {
    const QUALITIES: [&str; 4] = ["low", "medium", "high", "standard"];
    let (first, rest) = model.split_once('/')?;
    let (quality, size, name) = if QUALITIES.contains(&first) || first == "hd" {
        let (size, name) = rest.split_once('/')?;
        (Some(first), size, name)
    } else {
        (None, first, rest)
    };
    let (width, height) = size.split_once("-x-")?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(width) || !digits(height) || name.contains('/') {
        return None;
    }
    let quality = quality.map(|quality| format!("{quality}_")).unwrap_or_default();
    Some((format!("{quality}{width}x{height}"), name))
}

/// Factors on all token prices.
pub(super) fn multiplier_field(
    _entry: &Entry<'_>,
    field: &str,
    factor: Decimal,
    block: &mut Block,
) -> bool {
    let (name, fact, test) = match field {
        "regional_processing_uplift_multiplier_eu" => ("data_residency_eu", "host", "eu.*"),
        "regional_processing_uplift_multiplier_us" => ("data_residency_us", "host", "us.*"),
        "regional_endpoint_uplift_multiplier" => ("regional_endpoint", "location", "!global"),
        _ => return false,
    };
    block.multipliers.push(Multiplier { name, fact, test, factor });
    true
}

/// Keys that hold a table or a list.
pub(super) fn nested_field(
    entry: &Entry<'_>,
    field: &str,
    value: &Json,
    block: &mut Block,
    report: &mut Report,
) -> bool {
    match field {
        "search_context_cost_per_query" => search(entry, value, block, report),
        "tiered_pricing" => tiered(entry, value, block, report),
        "off_peak_pricing" => off_peak(entry, value, block, report),
        "provider_specific_entry" => specific(entry, value, block, report),
        "guardrail_cost_per_unit" => guardrail(entry, value, block, report),
        "search_free_requests" => {
            report.add("allowance", || format!("{}: {value}", entry.key));
        }
        _ => return false,
    }
    true
}

fn standard() -> Group {
    Group { tier: STANDARD.to_owned(), ..Group::default() }
}

/// What a web search costs is named by how the vendor counts: calls, grounded prompts, queries, or
/// requests by the size of their context.
fn search(entry: &Entry<'_>, value: &Json, block: &mut Block, report: &mut Report) {
    let google = entry.provider == "google" || entry.model.starts_with("gemini");
    for size in ["low", "medium", "high"] {
        let amount = value.field(&format!("search_context_size_{size}")).and_then(Json::as_number);
        let Some(amount) = amount else { continue };
        let per_query = entry.text("web_search_billing_unit") == "per_query";
        let unit = match (entry.provider, size) {
            ("perplexity", size) => format!("search_request_{size}"),
            (_, "low" | "high") => continue,
            _ if google && per_query => "web_search_query".to_owned(),
            _ if google => "web_search_prompt".to_owned(),
            _ => "web_search_call".to_owned(),
        };
        block.add(standard(), &unit, entry.rate(amount, report));
    }
}

/// `range: [start, end]`, the start outside, the end inside.
fn tiered(entry: &Entry<'_>, value: &Json, block: &mut Block, report: &mut Report) {
    for tier in value.as_array().unwrap_or_default() {
        let range = tier.field("range").and_then(Json::as_array).unwrap_or_default();
        let bounds = range.iter().map(|bound| bound.as_number().and_then(Decimal::to_count));
        let context = match bounds.collect::<Vec<_>>().as_slice() {
            [Some(start), Some(end)] if start < end => ContextRange::Range(*start, *end),
            _ => {
                report.add("unknown_key", || format!("{}: tiered_pricing by results", entry.key));
                continue;
            }
        };
        for (field, amount) in tier.as_object().unwrap_or_default() {
            let key = Key::parse(field);
            if let (Some(class), Json::Number(amount)) = (key.token_class(), amount) {
                let group = Group { context: Some(context), ..entry.group(&key) };
                block.add(group, class, entry.rate(*amount, report));
            }
        }
    }
}

fn off_peak(entry: &Entry<'_>, value: &Json, block: &mut Block, report: &mut Report) {
    let windows = value.field("windows").and_then(Json::as_array).unwrap_or_default();
    let Some(hours) = windows.iter().map(hours_of).collect::<Option<Vec<_>>>() else {
        report.add("unknown_key", || format!("{}: off_peak_pricing", entry.key));
        return;
    };
    for (field, amount) in value.as_object().unwrap_or_default() {
        let key = Key::parse(field);
        if let (Some(class), Json::Number(amount)) = (key.token_class(), amount) {
            let group = Group { hours: hours.clone(), ..entry.group(&key) };
            block.add(group, class, entry.rate(*amount, report));
        }
    }
}

fn hours_of(window: &Json) -> Option<Hours> {
    let hours = window.field("hours_utc")?;
    let single = hours.as_text().into_iter();
    let list = hours.as_array().unwrap_or_default().iter().filter_map(Json::as_text);
    let windows = single.chain(list).map(Hours::window).collect::<Option<Vec<_>>>()?;
    let mut weekdays = [window.field("weekdays").is_none(); 7];
    for day in window.field("weekdays").and_then(Json::as_array).unwrap_or_default() {
        let index = day.as_number()?.to_count()?.checked_sub(1)?;
        *weekdays.get_mut(usize::try_from(index).ok()?)? = true;
    }
    Some(Hours { zone: Zone::utc(), weekdays, windows })
}

/// Anthropic's geography and speed.
fn specific(entry: &Entry<'_>, value: &Json, block: &mut Block, report: &mut Report) {
    for (name, factor) in value.as_object().unwrap_or_default() {
        let (name, fact, test) = match name.as_str() {
            "us" => ("inference_geo_us", "inference_geo", "us"),
            "fast" => ("speed_fast", "speed", "fast"),
            other => {
                report.add("unknown_key", || {
                    format!("{}: provider_specific_entry.{other}", entry.key)
                });
                continue;
            }
        };
        if let Some(factor) = factor.as_number() {
            block.multipliers.push(Multiplier { name, fact, test, factor });
        }
    }
}

fn guardrail(entry: &Entry<'_>, value: &Json, block: &mut Block, report: &mut Report) {
    for (name, amount) in value.as_object().unwrap_or_default() {
        let unit = match name.as_str() {
            "automatedReasoningPolicyUnits" => "guardrail_automated_reasoning",
            "contentPolicyImageUnits" => "guardrail_content_image",
            "contentPolicyUnits" => "guardrail_content",
            "contextualGroundingPolicyUnits" => "guardrail_contextual_grounding",
            "sensitiveInformationPolicyFreeUnits" => "guardrail_pii_free",
            "sensitiveInformationPolicyUnits" => "guardrail_pii",
            "topicPolicyUnits" => "guardrail_topic",
            "wordPolicyUnits" => "guardrail_word",
            other => {
                report.add("unknown_key", || format!("{}: {other}", entry.key));
                continue;
            }
        };
        if let Some(amount) = amount.as_number() {
            let rate: Rate = entry.rate(amount, report);
            block.add(standard(), unit, rate);
        }
    }
}
