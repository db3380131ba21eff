//! What may be kept of a JSON document: the allow-lists.
//!
//! Prompts and answers are never stored, so what is kept is listed, not what is dropped. The fields
//! of the raw call event itself stand in `field.rs`.

/// The longest text kept in counters and facts; a longer one is dropped, since it is no label.
pub(super) const LABEL_BYTES_MAX: usize = 256;

/// The longest name of a counter.
const COUNTER_NAME_BYTES_MAX: usize = 128;

/// What is kept of a value.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Everything: for documents that hold no prompts.
    Everything,
    /// A number, a truth value, null or a text; lists and objects are dropped.
    Scalar,
    /// An object of texts, numbers and truth values under any key.
    Labels,
    /// Numbers, truth values and nulls at any depth; texts only under these keys, alone or in a
    /// list, and those that are a token count. Of a list of queries only their number is kept.
    Counters(&'static [&'static str]),
    /// An object's listed fields.
    Fields(&'static [(&'static str, Shape)]),
    /// A list of such values.
    List(&'static Shape),
}

/// Texts in a usage block that say what a counter is, or which price applies.
const USAGE_TEXTS: &[&str] = &[
    "cache_type",
    "currency",
    "custom_id",
    "gen_ai.provider.name",
    "gen_ai.system",
    "id",
    "inference_geo",
    "modality",
    "model",
    "object",
    "policy",
    "provider_response_id",
    "quality",
    "recordId",
    "resolution",
    "responseId",
    "response_id",
    "search_context_size",
    "seconds",
    "serviceTier",
    "service_tier",
    "size",
    "speed",
    "stop_reason",
    "trafficType",
    "traffic_type",
    "ttl",
    "type",
    "unit",
];

/// Texts in `context`: its vocabulary.
const CONTEXT_TEXTS: &[&str] = &[
    "base_model",
    "base_url",
    "container_ids",
    "custom_llm_provider",
    "deployment_scope",
    "deployment_type",
    "inference_geo",
    "litellm_model",
    "location",
    "output_item_types",
    "quality",
    "requested_service_tier",
    "resolution",
    "search_context_size",
    "size",
    "speed",
];

/// Lists of queries: how many different ones there are is kept, their texts are prompts.
const COUNTED_LISTS: &[&str] =
    &["web_search_queries", "webSearchQueries", "maps_queries", "mapsQueries"];

/// Whether only the number of different texts is kept of a list under this key.
pub(super) fn is_counted_list(key: &str) -> bool {
    COUNTED_LISTS.contains(&key)
}

/// Whether a key can be the name of a counter: no spaces, not long. Others are free text.
fn is_counter_name(key: &str) -> bool {
    key.len() <= COUNTER_NAME_BYTES_MAX && key.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether a text under this key may be a count that a relay wrote as text.
pub(super) fn is_token_count(key: &str) -> bool {
    key.to_ascii_lowercase().contains("token")
}

/// A provider's usage block.
pub const USAGE: Shape = Shape::Counters(USAGE_TEXTS);
/// Call facts that prices depend on.
pub const CONTEXT: Shape = Shape::Counters(CONTEXT_TEXTS);

impl Shape {
    /// The shape of a field; `None` when it is dropped.
    pub(super) fn of_field(&self, key: &str) -> Option<Self> {
        match self {
            Self::Everything => Some(Self::Everything),
            Self::Labels => Some(Self::Scalar),
            Self::Counters(_) => is_counter_name(key).then_some(*self),
            Self::Fields(fields) => {
                fields.iter().find(|(name, _)| *name == key).map(|(_, shape)| *shape)
            }
            Self::Scalar | Self::List(_) => None,
        }
    }
}
