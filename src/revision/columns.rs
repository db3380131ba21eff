//! Which columns of `calls` a revision decides; all others stay as they were written.

/// Decided by metering: usage and price.
pub(super) const METERED: [&str; 32] = [
    "usage_dialect",
    "priced_model",
    "resolution",
    "service_tier",
    "input_text_tokens",
    "cache_read_text_tokens",
    "cache_write_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "input_audio_tokens",
    "input_image_tokens",
    "output_text_tokens",
    "output_reasoning_tokens",
    "output_audio_tokens",
    "output_image_tokens",
    "other_tokens",
    "units",
    "total_input_tokens",
    "total_output_tokens",
    "cost_usd",
    "input_cost_usd",
    "cache_cost_usd",
    "output_cost_usd",
    "fees_cost_usd",
    "list_cost_usd",
    "computed_cost_usd",
    "reported_cost_usd",
    "reported_cost_source",
    "cost_status",
    "usage_status",
    "price_book_version",
    "flags",
];

/// Decided by attribution, where rules are given.
pub(super) const ATTRIBUTED: [&str; 14] = [
    "tenant",
    "team",
    "product",
    "feature",
    "environment",
    "customer",
    "user_id",
    "business_unit",
    "cost_center",
    "project",
    "api_key",
    "claimed_who",
    "tenant_source",
    "who_sources",
];

/// Which book priced a row is no difference by itself: a row that comes out the same keeps it.
pub(super) const BOOK: &str = "price_book_version";
