//! LiteLLM's published price map (`model_prices_and_context_window.json`) becomes a book file.

mod entry;
mod key;
mod map;
mod special;

pub use map::import_litellm;
