//! The grammar of the map's keys: what is priced, its lifetime, context tier and service tier.
//!
//! Keys as of PyPI litellm 1.109.1, read 2026-11-23.

use crate::pricing::condition::ContextRange;

/// A key taken apart: `cache_creation_input_token_cost_above_1hr_above_200k_tokens_batches`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key<'a> {
    pub base: &'a str,
    pub lifetime: Option<&'a str>,
    /// The context tier begins above so many tokens.
    pub above: Option<u64>,
    pub tier: Option<&'static str>,
}

const TIERS: [(&str, &str); 6] = [
    ("_batches", "batch"),
    ("_priority", "priority"),
    ("_flex", "flex"),
    ("_ultrafast", "ultrafast"),
    ("_balanced", "balanced"),
    ("_decisions", "decisions"),
];

impl<'a> Key<'a> {
    pub(super) fn parse(key: &'a str) -> Self {
        let tiered =
            TIERS.iter().find_map(|(suffix, tier)| Some((key.strip_suffix(suffix)?, *tier)));
        let (rest, tier) = tiered.map_or((key, None), |(rest, tier)| (rest, Some(tier)));
        let long = rest.strip_suffix("k_tokens").and_then(|rest| {
            let (base, thousands) = rest.rsplit_once("_above_")?;
            Some((base, thousands.parse::<u64>().ok()?.checked_mul(1_000)?))
        });
        let (rest, above) = long.map_or((rest, None), |(rest, above)| (rest, Some(above)));
        let lasting = rest.strip_suffix("hr").and_then(|rest| rest.rsplit_once("_above_"));
        let (base, lifetime) = lasting.map_or((rest, None), |(base, hours)| (base, Some(hours)));
        Self { base, lifetime, above, tier }
    }

    /// The token class that the key prices.
    pub(super) fn token_class(&self) -> Option<&'static str> {
        Some(match (self.base, self.lifetime) {
            ("cache_creation_input_token_cost", None) => "cache_write",
            ("cache_creation_input_token_cost", Some("1")) => "cache_write_1h",
            ("cache_creation_input_token_cost", Some("12")) => "cache_write_12h",
            (_, Some(_)) => return None,
            ("input_cost_per_token", None) => "input_text",
            ("output_cost_per_token", None) => "output_text",
            ("cache_read_input_token_cost", None) => "cache_read_text",
            ("cache_read_input_audio_token_cost", None) => "cache_read_audio",
            ("cache_read_input_image_token_cost", None) => "cache_read_image",
            ("explicit_cache_read_input_token_cost", None) => "cache_read_text_explicit",
            ("input_cost_per_audio_token", None) => "input_audio",
            ("input_cost_per_image_token", None) => "input_image",
            ("input_cost_per_video_token", None) => "input_video",
            ("output_cost_per_audio_token", None) => "output_audio",
            ("output_cost_per_image_token", None) => "output_image",
            ("output_cost_per_video_token", None) => "output_video",
            ("output_cost_per_reasoning_token", None) => "output_reasoning",
            ("citation_cost_per_token", None) => "citation",
            _ => return None,
        })
    }

    /// Where the context tier begins; xAI's page says "reaches", all others "above".
    /// <https://docs.x.ai/docs/models>, as metering notes of 2026-11-23 have it.
    pub(super) fn context(&self, provider: &str) -> Option<ContextRange> {
        let limit = self.above?;
        Some(if provider == "xai" { ContextRange::From(limit) } else { ContextRange::Above(limit) })
    }
}

/// Whether a key states a fact about the model instead of a price.
pub(super) fn is_no_price(key: &str) -> bool {
    const PREFIXES: [&str; 12] = [
        "supports_",
        "supported_",
        "max_",
        "output_vector_size",
        "reasoning_",
        "token_count_",
        "gemini_",
        "vertex_ai_",
        "use_",
        "uses_",
        "bedrock_",
        "thinking_",
    ];
    const NAMES: [&str; 13] = [
        "litellm_provider",
        "mode",
        "source",
        "comment",
        "metadata",
        "deprecation_date",
        "rpm",
        "tpm",
        "rules",
        "default_reasoning_effort",
        "prompt_cache_min_tokens",
        "audio_transcription_config",
        "web_search_billing_unit",
    ];
    NAMES.contains(&key) || PREFIXES.iter().any(|prefix| key.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_apart() {
        let key = Key::parse("cache_creation_input_token_cost_above_12hr_above_272k_tokens_flex");
        assert_eq!(key.base, "cache_creation_input_token_cost");
        assert_eq!((key.lifetime, key.above, key.tier), (Some("12"), Some(272_000), Some("flex")));
        assert_eq!(key.token_class(), Some("cache_write_12h"));
        assert_eq!(Key::parse("output_cost_per_token").token_class(), Some("output_text"));
        assert_eq!(Key::parse("output_cost_per_second_4k").token_class(), None);
    }
}
