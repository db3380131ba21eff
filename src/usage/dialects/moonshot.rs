//! Moonshot (Kimi): OpenAI's shape; read and written tokens are disjoint parts of the prompt.
//!
//! Hits and misses divide the input: <https://platform.kimi.ai/docs/pricing/chat-k3>, as quoted in
//! <https://github.com/BerriAI/litellm/pull/35592> (read 2026-11-23). `cached_tokens` stands beside
//! the totals or among the details, `cache_write_tokens` among them; how long what is written lives
//! is not said.

use super::openai_compatible;
use crate::usage::dialect::Dialect;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "moonshot/chat.completions",
    providers: &["moonshot", "moonshotai", "moonshot_ai"],
    ..openai_compatible::SERVER
};
