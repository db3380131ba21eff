//! Mistral OCR: pages, at another price where they are annotated.
//!
//! `OcrUsageInfo` in <https://docs.rs/crate/mistral-openapi-client/latest>, made from Mistral's API
//! description. An annotated page costs its own price instead of a page's:
//! `annotation_cost_per_page` of PyPI litellm 1.109.1 (both read 2026-11-23).

use crate::event::{CallEvent, Json, Rejection};
use crate::usage::block::Block;
use crate::usage::dialect::{Dialect, PLAIN};
use crate::usage::reading::Reading;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "mistral/ocr",
    providers: &["mistral", "mistral_ai", "mistralai", "azure_ai", "vertex_ai"],
    apis: &["ocr"],
    fits: |fields| fields.any(&["pages_processed"]),
    tells: |fields| fields.any(&["pages_processed"]),
    read,
    ..PLAIN
};

fn read(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    let pages = block.tokens("pages_processed")?;
    let is_annotated = matches!(event.fact("annotation"), Some(Json::Bool(true)));
    let unit = if is_annotated { "annotated_pages" } else { "pages" };
    Ok(Reading::of_unit(unit, pages))
}
