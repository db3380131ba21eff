//! Cohere rerank, and everyone who serves it: search units.
//!
//! A search unit is one query with up to 100 documents:
//! <https://docs.cohere.com/v2/docs/how-does-cohere-pricing-work> (read 2026-11-23). Relays write
//! the unit beside the counters instead of among `billed_units`.

use super::cohere_chat;
use crate::event::{CallEvent, Rejection};
use crate::usage::block::Block;
use crate::usage::dialect::{Dialect, PLAIN};
use crate::usage::reading::Reading;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "cohere/rerank",
    providers: &["cohere", "cohere_chat", "azure_ai", "bedrock", "litellm_proxy"],
    apis: &["rerank", "v2.rerank"],
    fits: |fields| fields.any(&["billed_units", "search_units"]),
    tells: |fields| fields.any(&["search_units"]),
    read,
    ..PLAIN
};

fn read(block: &Block, event: &CallEvent) -> Result<Reading, Rejection> {
    match block.count("search_units")? {
        Some(units) => Ok(Reading::of_unit("search_units", units.tokens)),
        None => cohere_chat::read(block, event),
    }
}
