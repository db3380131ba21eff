//! What may be kept of a JSON document: the allow-lists.
//!
//! Prompts and answers are never stored, so what is kept is listed, not what is dropped.

/// The longest text kept in counters and facts; a longer one is dropped, since it is no label.
pub(super) const LABEL_BYTES_MAX: usize = 256;

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
    "id",
    "inference_geo",
    "modality",
    "model",
    "object",
    "policy",
    "provider_response_id",
    "quality",
    "resolution",
    "responseId",
    "response_id",
    "search_context_size",
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
pub(super) const COUNTED_LISTS: &[&str] =
    &["web_search_queries", "webSearchQueries", "maps_queries", "mapsQueries"];

/// Whether a text under this key may be a count that a relay wrote as text.
pub(super) fn is_token_count(key: &str) -> bool {
    key.to_ascii_lowercase().contains("token")
}

/// A provider's usage block.
pub const USAGE: Shape = Shape::Counters(USAGE_TEXTS);
/// Call facts that prices depend on.
pub const CONTEXT: Shape = Shape::Counters(CONTEXT_TEXTS);

/// The raw call event, version 1.
pub const CALL_EVENT: Shape = Shape::Fields(&[
    ("event_id", Shape::Scalar),
    ("source", Shape::Scalar),
    ("occurred_at", Shape::Scalar),
    ("provider", Shape::Scalar),
    ("api", Shape::Scalar),
    ("usage_dialect", Shape::Scalar),
    ("model", Shape::Scalar),
    ("request_model", Shape::Scalar),
    ("usage", USAGE),
    ("context", CONTEXT),
    ("operation", Shape::Scalar),
    ("service_tier", Shape::Scalar),
    ("region", Shape::Scalar),
    ("deployment", Shape::Scalar),
    ("tags", Shape::Labels),
    ("tenant", Shape::Scalar),
    ("team", Shape::Scalar),
    ("product", Shape::Scalar),
    ("feature", Shape::Scalar),
    ("environment", Shape::Scalar),
    ("customer", Shape::Scalar),
    ("user_id", Shape::Scalar),
    ("business_unit", Shape::Scalar),
    ("cost_center", Shape::Scalar),
    ("project", Shape::Scalar),
    ("api_key", Shape::Scalar),
    ("trace_id", Shape::Scalar),
    ("operation_id", Shape::Scalar),
    ("attempt", Shape::Scalar),
    ("parent_id", Shape::Scalar),
    ("step", Shape::Scalar),
    ("fallback_of", Shape::Scalar),
    ("provider_response_id", Shape::Scalar),
    ("status", Shape::Scalar),
    ("http_status", Shape::Scalar),
    ("error_type", Shape::Scalar),
    ("latency_ms", Shape::Scalar),
    ("ttft_ms", Shape::Scalar),
    ("stream", Shape::Scalar),
    ("reported_cost", Shape::Scalar),
    ("reported_cost_source", Shape::Scalar),
    ("gateway_cache_hit", Shape::Scalar),
    ("provisional", Shape::Scalar),
    ("corrects", Shape::Scalar),
]);

impl Shape {
    /// The shape of a field; `None` when it is dropped.
    pub(super) fn of_field(&self, key: &str) -> Option<Self> {
        match self {
            Self::Everything => Some(Self::Everything),
            Self::Labels => Some(Self::Scalar),
            Self::Counters(_) => Some(*self),
            Self::Fields(fields) => {
                fields.iter().find(|(name, _)| *name == key).map(|(_, shape)| *shape)
            }
            Self::Scalar | Self::List(_) => None,
        }
    }

    /// The names of the fields that are kept, when those are listed.
    pub fn field_names(&self) -> impl Iterator<Item = &'static str> {
        let fields = match self {
            Self::Fields(fields) => *fields,
            _ => &[],
        };
        fields.iter().map(|(name, _)| *name)
    }
}
