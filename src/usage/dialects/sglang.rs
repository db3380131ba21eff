//! SGLang: OpenAI's shape, without details unless `--enable-cache-report` is set.
//!
//! <https://docs.sglang.io/docs/advanced_features/server_arguments> (read 2026-11-23).

use super::openai_compatible;
use crate::usage::dialect::Dialect;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "sglang/chat.completions",
    providers: &["sglang"],
    read: openai_compatible::read_server,
    ..openai_compatible::SERVER
};
