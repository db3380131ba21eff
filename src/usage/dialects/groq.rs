//! Groq: OpenAI's shape, times beside the counts; a stream's last chunk has them under `x_groq`.
//!
//! Cached tokens are a part of the prompt and half its price:
//! <https://console.groq.com/docs/prompt-caching> (read 2026-11-23).

use super::openai_compatible;
use crate::usage::dialect::Dialect;

pub(in crate::usage) const DIALECT: Dialect =
    Dialect { name: "groq/chat.completions", providers: &["groq"], ..openai_compatible::SERVER };
