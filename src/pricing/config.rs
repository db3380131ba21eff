//! The pricing part of the configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::setting::Span;

/// Which books to load, and what the operator has decided about providers.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Book files, each a layer over the built-in book; a later one wins.
    pub books: Vec<PathBuf>,
    /// How often the files are looked at for a change.
    pub reload_interval: Span,
    /// A book that was refreshed longer ago than this is stale.
    pub stale_after: Span,
    /// Whether a model's exact name may tell the vendor where the sender does not.
    pub infer_vendor: bool,
    /// The vendor behind a source or a dialect: `my-gateway = "openai"`.
    pub vendors: BTreeMap<String, String>,
    /// Providers whose own reported cost is the authoritative one.
    pub reported_cost_wins: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            books: Vec::new(),
            reload_interval: Span::seconds(10),
            stale_after: Span::seconds(60 * 24 * 3600),
            infer_vendor: true,
            vendors: BTreeMap::new(),
            reported_cost_wins: vec!["openrouter".to_owned()],
        }
    }
}
