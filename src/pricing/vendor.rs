//! Provider names: one spelling for each, and which of them name a dialect instead of a price list.

/// Names that say how counters are written, not who is paid.
const DIALECTS: [&str; 3] = ["litellm_proxy", "otel", "openai_compatible"];

/// Vendors that run their own models: an exact model name that only one of them has names the
/// vendor.
pub(super) const FIRST_PARTY: [&str; 12] = [
    "openai",
    "anthropic",
    "google",
    "mistral",
    "deepseek",
    "xai",
    "cohere",
    "moonshot",
    "zai",
    "minimax",
    "ai21",
    "voyage",
];

/// Whether a provider's name is that of a dialect.
pub(super) fn is_dialect(provider: &str) -> bool {
    DIALECTS.contains(&provider)
}

/// The name under which the book keeps a provider that goes by several: LiteLLM's
/// `custom_llm_provider` (PyPI litellm 1.109.1) and OpenTelemetry's `gen_ai.provider.name`
/// (<https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/>).
pub(super) fn canonical(provider: &str) -> &str {
    match provider {
        "gemini" | "gcp.gemini" | "gcp.gen_ai" | "google_ai_studio" | "google-ai-studio" => {
            "google"
        }
        "vertex" | "gcp.vertex_ai" | "google_vertex" => "vertex_ai",
        "together_ai" | "togetherai" => "together",
        "fireworks_ai" | "fireworks_ai-embedding-models" => "fireworks",
        "bedrock_converse" | "aws.bedrock" | "aws_bedrock" | "amazon_bedrock" => "bedrock",
        "azure_openai" | "azure.ai.openai" | "azure_text" | "az.ai.openai" => "azure",
        "azure.ai.inference" | "az.ai.inference" => "azure_ai",
        "text-completion-openai" => "openai",
        "text-completion-codestral" => "codestral",
        "cohere_chat" => "cohere",
        "mistral_ai" | "mistralai" => "mistral",
        "x_ai" | "x-ai" => "xai",
        "ibm.watsonx.ai" => "watsonx",
        "moonshotai" | "moonshot_ai" => "moonshot",
        other if other.starts_with("vertex_ai-") => "vertex_ai",
        other => other,
    }
}

/// Spellings of a provider that model names repeat as a prefix: `openai/gpt-5`, `gemini/…`.
pub(super) fn is_prefix_of(provider: &str, prefix: &str) -> bool {
    prefix == provider || canonical(prefix) == provider
}
