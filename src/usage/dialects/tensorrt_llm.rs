//! TensorRT-LLM and NIM: OpenAI's shape, cached tokens among the details where they are reported.
//!
//! <https://github.com/NVIDIA/TensorRT-LLM/pull/7637> (read 2026-11-23).

use super::openai_compatible;
use crate::usage::dialect::Dialect;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "tensorrt_llm/chat.completions",
    providers: &["tensorrt_llm", "trtllm", "nvidia_nim"],
    read: openai_compatible::read_server,
    ..openai_compatible::SERVER
};
