//! Cerebras: OpenAI's shape, cached tokens inside the prompt.
//!
//! <https://inference-docs.cerebras.ai/capabilities/prompt-caching> (read 2026-11-23).

use super::openai_compatible;
use crate::usage::dialect::Dialect;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "cerebras/chat.completions",
    providers: &["cerebras"],
    ..openai_compatible::SERVER
};
