//! Groq: OpenAI's shape, times beside the counts; a stream's last chunk has them under `x_groq`.
//!
//! Cached tokens are a part of the prompt and half its price:
//! <https://console.groq.com/docs/prompt-caching> (read 2026-11-23).
//! Pages that its browser opened are billed each, beside the searches:
//! <https://console.groq.com/docs/browser-search>, as hard-coded in PyPI litellm 1.109.1 (read
//! 2026-11-23); the context names them as output items.

use super::{openai_compatible, openai_items};
use crate::event::{CallEvent, Rejection};
use crate::usage::dialect::Dialect;
use crate::usage::reading::Units;

/// The spellings of an opened page among the output items.
const OPENED: [&str; 3] = ["browser.open", "browser_open", "browser_open_call"];

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "groq/chat.completions",
    providers: &["groq"],
    units,
    ..openai_compatible::SERVER
};

fn units(event: &CallEvent) -> Result<Units, Rejection> {
    let mut units = openai_items::units(event)?;
    units.push(("browser_open", openai_items::calls(event, &OPENED)?));
    Ok(units)
}
