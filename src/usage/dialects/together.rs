//! Together: OpenAI's shape; `cached_tokens` may stand beside the totals, inside the prompt.
//!
//! Its page was not opened: <https://docs.together.ai/reference/chat-completions-1>.

use super::openai_compatible;
use crate::usage::dialect::Dialect;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "together/chat.completions",
    providers: &["together", "together_ai", "togetherai"],
    ..openai_compatible::SERVER
};
