//! The whole catalog: providers and their models, under the book's names.

use std::collections::HashSet;

use super::model::Model;
use super::{naming, python};
use crate::event::Json;
use crate::pricing::import::outcome::{Import, ImportError, Source};
use crate::pricing::import::write;
use crate::pricing::{Report, vendor};
use crate::time::Timestamp;

const SOURCE: Source = Source { name: "genai-prices", per: 1_000_000 };

/// What a provider says beside its prices.
const PROVIDER_KEYS: [&str; 11] = [
    "id",
    "name",
    "api_pattern",
    "pricing_urls",
    "description",
    "price_comments",
    "model_match",
    "provider_match",
    "extractors",
    "fallback_model_providers",
    "models",
];

/// Turns the bytes of genai-prices' `data.py`, or of its JSON, into a book file; what it does not
/// date counts from `observed`. Amounts are read from the text, never through a float.
///
/// # Errors
/// An [`ImportError`] when the bytes are neither.
pub fn import_genai_prices(bytes: &[u8], observed: Timestamp) -> Result<Import, ImportError> {
    let root = read(bytes)?;
    let providers = root.field("providers").unwrap_or(&root).as_array();
    let expected = || ImportError::new(MAP, "expected a list of providers");
    let mut report = Report::default();
    let mut claimed = HashSet::new();
    let (mut blocks, mut elsewhere) = (Vec::new(), Vec::new());
    for provider in providers.ok_or_else(expected)? {
        let id = provider.field("id").and_then(Json::as_text).ok_or_else(expected)?;
        remark_provider(id, provider, &mut report);
        elsewhere.extend(fallbacks(id, provider));
        let urls = provider.field("pricing_urls").and_then(Json::as_array).unwrap_or_default();
        let url = urls.first().and_then(Json::as_text).unwrap_or_default();
        let models = provider.field("models").and_then(Json::as_array).unwrap_or_default();
        for (place, fields) in models.iter().enumerate() {
            let earlier = models.get(..place).unwrap_or_default();
            let mut names = naming::names(fields, earlier, &mut report);
            names.retain(|name| claimed.insert((provider_name(id), name.clone())));
            if names.is_empty() {
                continue;
            }
            let model = Model { provider: provider_name(id), names, source_url: url, fields };
            blocks.extend(model.blocks(&mut report));
        }
    }
    let mut import = Import::new(&blocks, &SOURCE, observed, report);
    import.text.push_str(&write::fallbacks(&elsewhere));
    Ok(import)
}

const MAP: &str = "genai-prices' data";

fn read(bytes: &[u8]) -> Result<Json, ImportError> {
    if bytes.trim_ascii_start().starts_with(b"[") || bytes.trim_ascii_start().starts_with(b"{") {
        return Json::parse(bytes).map_err(|rejection| ImportError::new(MAP, rejection.message));
    }
    let text = std::str::from_utf8(bytes).ok();
    text.and_then(python::assigned_list)
        .ok_or_else(|| ImportError::new(MAP, "expected a module that assigns a list of providers"))
}

/// The book's name of a provider: Bedrock is all that their `aws` has.
fn provider_name(id: &str) -> &str {
    match id {
        "aws" => "bedrock",
        "voyageai" => "voyage",
        other => vendor::canonical(other),
    }
}

fn remark_provider(id: &str, provider: &Json, report: &mut Report) {
    for (key, _) in provider.as_object().unwrap_or_default() {
        if !PROVIDER_KEYS.contains(&key.as_str()) {
            report.add("unknown_key", || format!("{id}: {key}"));
        }
    }
}

/// Whose prices a provider has where it has none of its own.
fn fallbacks(id: &str, provider: &Json) -> Vec<(String, String)> {
    let others = provider.field("fallback_model_providers").and_then(Json::as_array);
    let others = others.unwrap_or_default().iter().filter_map(Json::as_text);
    let pair = |other| (provider_name(id).to_owned(), provider_name(other).to_owned());
    others.map(pair).collect()
}
