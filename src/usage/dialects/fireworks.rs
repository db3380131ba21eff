//! Fireworks: OpenAI's shape; every chunk of a stream repeats the usage so far.
//!
//! <https://docs.fireworks.ai/faq-new/models-inference/what-is-a-token>; chunks as measured in
//! <https://github.com/lemma-work/lemma-platform/pull/564> (both read 2026-11-23).

use super::openai_compatible;
use crate::usage::dialect::Dialect;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "fireworks/chat.completions",
    providers: &["fireworks", "fireworks_ai"],
    ..openai_compatible::SERVER
};
