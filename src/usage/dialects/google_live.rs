//! Google's Live API: as generateContent, but what is written is called a response.
//!
//! `UsageMetadata` of the Live API, as repeated in
//! <https://hexdocs.pm/gemini_ex/Gemini.Types.Live.UsageMetadata.html>; thoughts stand beside the
//! response: <https://discuss.ai.google.dev/t/188765> (both read 2026-11-23).

use super::google_generate_content;
use crate::usage::dialect::Dialect;

pub(in crate::usage) const DIALECT: Dialect = Dialect {
    name: "google/live",
    apis: &["live", "bidiGenerateContent"],
    fits: |fields| {
        fields.any(&["responseTokenCount", "response_token_count"])
            || (google_generate_content::DIALECT.fits)(fields)
    },
    tells: |fields| fields.any(&["responseTokenCount", "response_token_count"]),
    ..google_generate_content::DIALECT
};
