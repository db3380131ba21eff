//! The whole map: entries under the book's names, merged where two name one model.

use std::collections::BTreeMap;

use super::entry::{Entry, merge};
use super::special::size_and_quality;
use crate::event::Json;
use crate::pricing::import::write::{self, Block};
use crate::pricing::{Report, vendor};
use crate::time::Timestamp;

/// A published map as a book file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The book file: TOML, to be used as a layer.
    pub text: String,
    /// How many price rows it holds.
    pub rows: usize,
    /// How many models they are for.
    pub models: usize,
    /// What was left out, merged or rounded.
    pub report: Report,
}

/// A map that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a LiteLLM price map: {0}")]
pub struct ImportError(String);

/// Turns the bytes of LiteLLM's `model_prices_and_context_window.json` into a book file whose rows
/// count from `observed`. Amounts are read from the JSON text, never through a float.
///
/// # Errors
/// An [`ImportError`] when the bytes are not such a map.
pub fn import_litellm(map: &[u8], observed: Timestamp) -> Result<Import, ImportError> {
    let root = Json::parse(map).map_err(|rejection| ImportError(rejection.message))?;
    let Some(entries) = root.as_object() else {
        return Err(ImportError("expected an object with an entry for each model".to_owned()));
    };
    let mut report = Report::default();
    let mut blocks: BTreeMap<(String, String), Block> = BTreeMap::new();
    for prefixed in [true, false] {
        for (key, fields) in entries {
            let Some(entry) = entry_of(key, fields) else {
                if prefixed {
                    report.add("not_a_model", || key.clone());
                }
                continue;
            };
            // Of two entries for one model the one that names its provider is the more deliberate.
            if (entry.model != key) == prefixed {
                add(&mut blocks, &entry, &mut report);
            }
        }
    }
    let blocks: Vec<Block> = blocks.into_values().filter(|block| !block.is_empty()).collect();
    let rows = blocks.iter().map(Block::rates).sum();
    let text = write::book(&blocks, observed, "LiteLLM's published map");
    Ok(Import { text, rows, models: blocks.len(), report })
}

fn entry_of<'a>(key: &'a str, fields: &'a Json) -> Option<Entry<'a>> {
    let stated = fields.field("litellm_provider").and_then(Json::as_text)?;
    if stated.contains(' ') {
        return None;
    }
    let provider = vendor::canonical(stated);
    let model = match key.split_once('/') {
        Some((prefix, rest)) if prefix == stated || vendor::is_prefix_of(provider, prefix) => rest,
        _ => key,
    };
    Some(Entry { key, provider, model, fields })
}

fn add(blocks: &mut BTreeMap<(String, String), Block>, entry: &Entry<'_>, report: &mut Report) {
    let mut block = entry.block(report);
    if block.is_empty() {
        report.add("no_price", || entry.key.to_owned());
    }
    let per_image = block.prices_images_by_size();
    if let Some((_, name)) = size_and_quality(entry.model).filter(|_| per_image) {
        block.name = name.to_owned();
    }
    let place = (block.provider.clone(), block.name.clone());
    match blocks.get_mut(&place) {
        Some(first) => merge(first, block, report),
        None => {
            blocks.insert(place, block);
        }
    }
}
