//! Moonshot (Kimi): OpenAI's shape; read and written tokens are disjoint parts of the prompt.
//!
//! `cached_tokens` stands beside the totals or among the details, `cache_write_tokens` among them:
//! <https://platform.kimi.ai/docs/api/chat>, as measured in
//! <https://github.com/BerriAI/litellm/issues/28009> (read 2026-11-23). How long what is written
//! lives is not said.

use super::openai_compatible;
use crate::usage::dialect::Dialect;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "moonshot/chat.completions",
    providers: &["moonshot", "moonshotai", "moonshot_ai"],
    ..openai_compatible::SERVER
};
