//! OpenAI embeddings: an input and nothing else.
//!
//! `CreateEmbeddingResponseUsage` in <https://docs.rs/crate/openai-client-base/0.12.0>, made from
//! OpenAI's API description, has `prompt_tokens` and `total_tokens` (read 2026-11-23).

use super::openai_chat;
use crate::usage::dialect::Dialect;

pub(in crate::usage) const DIALECT: Dialect =
    Dialect { name: "openai/embeddings", apis: &["embeddings"], ..openai_chat::DIALECT };
