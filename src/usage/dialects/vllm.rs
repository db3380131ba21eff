//! vLLM: OpenAI's shape, without details unless `--enable-prompt-tokens-details` is set.
//!
//! <https://github.com/vllm-project/vllm/pull/18149>. With `continuous_usage_stats` every chunk
//! repeats the usage so far: <https://github.com/bytedance/deer-flow/pull/4537> (both read
//! 2026-11-23).

use super::openai_compatible;
use crate::usage::dialect::Dialect;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "vllm/chat.completions",
    providers: &["vllm", "hosted_vllm"],
    read: openai_compatible::read_server,
    ..openai_compatible::SERVER
};
