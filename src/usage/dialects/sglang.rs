//! SGLang: OpenAI's shape, without details unless `--enable-cache-report` is set.
//!
//! Its page was not opened: <https://docs.sglang.io/docs/advanced_features/server_arguments>.

use super::openai_compatible;
use crate::usage::dialect::Dialect;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "sglang/chat.completions",
    providers: &["sglang"],
    read: openai_compatible::read_server,
    ..openai_compatible::SERVER
};
