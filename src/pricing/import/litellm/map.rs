//! The whole map: entries under the book's names, merged where two name one model.

use std::collections::BTreeMap;

use super::entry::{Entry, merge};
use super::special::size_and_quality;
use crate::event::Json;
use crate::pricing::import::outcome::{Import, ImportError, Source};
use crate::pricing::import::write::Block;
use crate::pricing::{Report, vendor};
use crate::time::Timestamp;

const SOURCE: Source = Source { name: "LiteLLM's published map", per: 1 };

/// Turns the bytes of LiteLLM's `model_prices_and_context_window.json` into a book file whose rows
/// count from `observed`. Amounts are read from the JSON text, never through a float.
///
/// # Errors
/// An [`ImportError`] when the bytes are not such a map.
pub fn import_litellm(map: &[u8], observed: Timestamp) -> Result<Import, ImportError> {
    let root = Json::parse(map).map_err(|rejection| wrong(rejection.message))?;
    let Some(entries) = root.as_object() else {
        return Err(wrong("expected an object with an entry for each model".to_owned()));
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
    Ok(Import::new(&blocks, &SOURCE, observed, report))
}

fn wrong(message: String) -> ImportError {
    ImportError::new("a LiteLLM price map", message)
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
        block.names = vec![name.to_owned()];
    }
    let place = (block.provider.clone(), block.names.join(", "));
    match blocks.get_mut(&place) {
        Some(first) => merge(first, block, report),
        None => {
            blocks.insert(place, block);
        }
    }
}
