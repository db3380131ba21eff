//! One spelling for the service tiers of all providers.

/// The tier's name as price books use it: `standard`, `batch`, `flex`, `priority`, `provisioned`;
/// any other is kept as the provider says it, in lower case.
///
/// Tiers that only say how a request is routed are `standard`: OpenAI's `auto` and `default`,
/// Google's `ON_DEMAND`.
/// <https://developer.scrypted.app/gen/interfaces/ChatCompletionChunk.html> (OpenAI's client),
/// <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/deploy/consumption-options>
/// (both read 2026-11-23).
pub fn service_tier(spelled: &str) -> String {
    let tier = spelled.trim().to_lowercase();
    match tier.as_str() {
        ""
        | "auto"
        | "default"
        | "base"
        | "on_demand"
        | "standard_only"
        | "unspecified"
        | "traffic_type_unspecified" => "standard".to_owned(),
        "batches" => "batch".to_owned(),
        "on_demand_priority" => "priority".to_owned(),
        "on_demand_flex" => "flex".to_owned(),
        "provisioned_throughput" => "provisioned".to_owned(),
        _ => tier,
    }
}
