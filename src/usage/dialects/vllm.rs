//! vLLM: OpenAI's shape, without details unless `--enable-prompt-tokens-details` is set.
//!
//! `prompt_tokens_details` is null otherwise, and with `continuous_usage_stats` every chunk repeats
//! the usage so far: <https://docs.vllm.ai/en/stable/cli/serve.html>,
//! <https://github.com/vllm-project/vllm/issues/16162> (read 2026-11-23).

use super::openai_compatible;
use crate::usage::dialect::Dialect;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "vllm/chat.completions",
    providers: &["vllm", "hosted_vllm"],
    read: openai_compatible::read_server,
    ..openai_compatible::SERVER
};
