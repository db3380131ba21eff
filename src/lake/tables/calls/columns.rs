//! The columns of `calls`. Types are final from the first release: columns are added (NULL in older
//! rows), never renamed or retyped. The partition column `date` is the UTC date of `occurred_at`.

use super::row::CallRow;
use crate::event::HASH_VERSION;
use crate::lake::cell::Cell;
use crate::lake::column::{Column, columns};
use crate::usage::{TokenClass, Tokens};

/// The version of these columns; a release that adds one raises it.
pub const SCHEMA_VERSION: i32 = 1;

/// Columns whose least and largest values the log keeps for each file.
pub const STATISTICS: &[&str] = &[
    "tenant",
    "event_id",
    "occurred_at",
    "ingested_at",
    "source_topic",
    "source_partition",
    "source_offset",
    "provider",
    "response_model",
    "priced_model",
    "cost_usd",
    "cost_status",
];

columns! {
    pub(super) COLUMNS of CallRow;

    // Identity and lineage.
    /// Whose event ids these are: the credential's owner, or the configured source's name.
    namespace: Text.required() => |row| &row.charge.namespace;
    /// Which gateway or SDK instance sent the event.
    source: Text.required() => |row| &row.charge.event.source;
    /// The sender's id of the event, unique within namespace and source.
    event_id: Text.required().delta() => |row| &row.charge.event.event_id;
    /// 16 bytes over (namespace, source, event id): what makes it the same event again.
    identity_hash: Bytes.required().plain() => |row| row.charge.identity.identity_hash.as_slice();
    /// 16 bytes over the decoded event in canonical form, without arrival data.
    content_hash: Bytes.required().plain() => |row| row.charge.identity.content_hash.as_slice();
    /// The provider's id of the response.
    provider_response_id: Text.delta() => |row| &row.charge.event.provider_response_id;
    /// The Kafka topic, or the spool's name, that the event was read from.
    source_topic: Text.required() => |row| &row.lineage.topic;
    /// The partition it was read from; 0 for the spool.
    source_partition: Int.required() => |row| row.lineage.partition;
    /// The offset of its message.
    source_offset: Long.required().delta() => |row| row.lineage.offset;
    /// Its place in a message that holds several.
    source_index: Long.required().delta() => |row| row.lineage.index;
    /// The version of these columns that the row was written with.
    schema_version: Int.required() => |_row| SCHEMA_VERSION;
    /// The version of the canonical form that both hashes are over.
    hash_version: Int.required() => |_row| HASH_VERSION;

    // Time.
    /// When the call was completed.
    occurred_at: Time.required().delta() => |row| row.charge.event.occurred_at;
    /// When tokenmeter read the event.
    ingested_at: Time.required().delta() => |row| row.ingested_at;

    // Who.
    /// The customer account that the spend belongs to; `unattributed` when nobody can be named.
    tenant: Text.required() => |row| row.charge.attribution.who.tenant.as_deref()
        .unwrap_or(crate::attribution::UNATTRIBUTED);
    /// The team that owns the feature.
    team: Text => |row| &row.charge.attribution.who.team;
    /// The product.
    product: Text => |row| &row.charge.attribution.who.product;
    /// The feature of the product.
    feature: Text => |row| &row.charge.attribution.who.feature;
    /// `production`, `staging` and so on.
    environment: Text => |row| &row.charge.attribution.who.environment;
    /// The customer of the tenant.
    customer: Text.many() => |row| &row.charge.attribution.who.customer;
    /// The person, by an opaque id.
    user_id: Text.many() => |row| &row.charge.attribution.who.user_id;
    /// The business unit.
    business_unit: Text => |row| &row.charge.attribution.who.business_unit;
    /// The cost center.
    cost_center: Text => |row| &row.charge.attribution.who.cost_center;
    /// The project.
    project: Text => |row| &row.charge.attribution.who.project;
    /// The API key's alias or hash; never the key.
    api_key: Text => |row| &row.charge.attribution.who.api_key;
    /// Free tags of the caller.
    tags: TextMap.required() => |row| &row.charge.event.tags;
    /// What the caller claimed in columns that something else has filled, by column name.
    claimed_who: TextMap.required() => |row| &row.charge.attribution.claimed_who;
    /// How the tenant is known: `asserted`, `rule`, `claimed`, `none`.
    tenant_source: Text.required() => |row| row.charge.attribution.tenant_source.name();
    /// How each who-column that has a value is known, by column name: `credential`, `sender` (the
    /// configuration's table of senders), `rule`, `claim`.
    who_sources: TextMap => |row| Cell::TextMap(row.charge.attribution.sources.iter()
        .map(|(column, source)| (*column, source.name())).collect());
    /// Whether the sender's credential lets its events name a tenant.
    claims_allowed: Bool => |row| row.charge.attribution.claims_allowed;

    // What.
    /// Who answered: `openai`, `anthropic`, `google`, or a gateway's dialect.
    provider: Text.required() => |row| &row.charge.event.provider;
    /// Which of the provider's APIs answered.
    api: Text => |row| &row.charge.event.api;
    /// Whose rules the counters were read by: `openai/chat.completions`.
    usage_dialect: Text => |row|
        Some(row.charge.usage.dialect.as_str()).filter(|name| !name.is_empty());
    /// The model that the caller asked for.
    request_model: Text => |row| &row.charge.event.request_model;
    /// The model as the response named it.
    response_model: Text.required() => |row| &row.charge.event.model;
    /// The model whose price row was applied.
    priced_model: Text => |row| &row.charge.cost.priced_model;
    /// The step by which the model's name led to that row.
    resolution: Text => |row| &row.charge.cost.resolution;
    /// `chat`, `embeddings`, `image` and so on.
    operation: Text => |row| &row.charge.event.operation;
    /// The service tier that served the call.
    service_tier: Text => |row| row.charge.usage.service_tier.as_deref()
        .or(row.charge.event.service_tier.as_deref());
    /// The provider's region.
    region: Text => |row| &row.charge.event.region;
    /// The deployment's name.
    deployment: Text => |row| &row.charge.event.deployment;
    /// Call facts that prices depend on: a JSON object, scrubbed.
    context: Text.many() => |row|
        Cell::owned(row.charge.event.context.as_ref().map(ToString::to_string));
    /// The provider's usage object as it came: JSON, scrubbed. Re-rating and audits start from it.
    raw_usage: Text.plain() => |row|
        Cell::owned(row.charge.event.usage.as_ref().map(ToString::to_string));

    // Tokens: every token is in exactly one class; NULL when nothing is known about the usage.
    /// Text read, not from a cache.
    input_text_tokens: Long.unit("tokens") => |row| row.class(TokenClass::InputText);
    /// Text read from the provider's cache.
    cache_read_text_tokens: Long.unit("tokens").delta() => |row|
        row.class(TokenClass::CacheReadText);
    /// Written to the provider's cache, lifetime unknown.
    cache_write_tokens: Long.unit("tokens") => |row| row.class(TokenClass::CacheWrite);
    /// Written to the provider's cache for 5 minutes.
    cache_write_5m_tokens: Long.unit("tokens") => |row| row.class(TokenClass::CacheWrite5m);
    /// Written to the provider's cache for an hour.
    cache_write_1h_tokens: Long.unit("tokens") => |row| row.class(TokenClass::CacheWrite1h);
    /// Audio read.
    input_audio_tokens: Long.unit("tokens") => |row| row.class(TokenClass::InputAudio);
    /// Images read.
    input_image_tokens: Long.unit("tokens") => |row| row.class(TokenClass::InputImage);
    /// Text written.
    output_text_tokens: Long.unit("tokens") => |row| row.class(TokenClass::OutputText);
    /// Thoughts written.
    output_reasoning_tokens: Long.unit("tokens") => |row| row.class(TokenClass::OutputReasoning);
    /// Audio written.
    output_audio_tokens: Long.unit("tokens") => |row| row.class(TokenClass::OutputAudio);
    /// Images written.
    output_image_tokens: Long.unit("tokens") => |row| row.class(TokenClass::OutputImage);
    /// All other classes that have tokens, by name: `cache_write_30m`, `input_video` and so on.
    other_tokens: LongMap.unit("tokens") => |row| row.other_tokens();
    /// Everything that is counted and is not tokens, by name: `web_search_call`, `audio_seconds`.
    units: DecimalMap.required() => |row| row.units();
    /// All that the model read: input, cache reads and cache writes.
    total_input_tokens: Long.unit("tokens").delta() => |row|
        row.tokens.as_ref().and_then(Tokens::total_input);
    /// All that the model wrote.
    total_output_tokens: Long.unit("tokens") => |row|
        row.tokens.as_ref().and_then(Tokens::total_output);

    // Money. NULL is "not known", never zero; `cost_status` says why.
    /// What the call costs.
    cost_usd: Usd.unit("USD").delta() => |row| row.charge.cost.cost;
    /// The part for input that is not cached.
    input_cost_usd: Usd.unit("USD") => |row| row.charge.cost.input_cost;
    /// The part for cache reads and writes.
    cache_cost_usd: Usd.unit("USD").delta() => |row| row.charge.cost.cache_cost;
    /// The part for output.
    output_cost_usd: Usd.unit("USD") => |row| row.charge.cost.output_cost;
    /// The part for tools, searches and requests. The four parts sum to `cost_usd`.
    fees_cost_usd: Usd.unit("USD") => |row| row.charge.cost.fees_cost;
    /// What it would cost at list price, without contracts and overrides.
    list_cost_usd: Usd.unit("USD").delta() => |row| row.charge.cost.list_cost;
    /// What price rows make of it: `cost_usd`, unless that is the provider's own figure.
    computed_cost_usd: Usd.unit("USD").delta() => |row| row.charge.cost.computed_cost;
    /// What the provider or the sender says it cost, rounded to the picodollar.
    reported_cost_usd: Usd.unit("USD") => |row| row.reported.as_ref().map(|(amount, _)| *amount);
    /// Who says so.
    reported_cost_source: Text => |row|
        row.reported.as_ref().and_then(|(_, source)| source.as_deref());
    /// How the cost came to be, or why there is none: `priced`, `free`, `unpriced`,
    /// `unknown_usage`, `provider_reported`, `gateway_cache_hit`, `committed_capacity`.
    cost_status: Text.required() => |row| row.charge.cost.status.name();
    /// How much is known about the usage: `complete`, `partial`, `totals_only`, `estimated`,
    /// `unknown_usage`.
    usage_status: Text.required() => |row| row.charge.usage.status.name();
    /// The version of the price book: the hash of all its layers.
    price_book_version: Text => |row| &row.charge.cost.price_book_version;
    /// What was noticed while metering, sorted.
    flags: Texts.required() => |row| Cell::Texts(row.flags.iter().collect());

    // The call.
    /// The distributed trace.
    trace_id: Text.delta() => |row| &row.charge.event.trace_id;
    /// The operation that retries share.
    operation_id: Text.delta() => |row| &row.charge.event.operation_id;
    /// The call that this one is a step of.
    parent_id: Text.delta() => |row| &row.charge.event.parent_id;
    /// The step's name: draft, review and so on.
    step: Text => |row| &row.charge.event.step;
    /// Which try of the operation this is.
    attempt: Long => |row| row.charge.event.attempt;
    /// The event id of the call that this one stands in for.
    fallback_of: Text.delta() => |row| &row.charge.event.fallback_of;
    /// How the call ended: `ok`, `failed`, `aborted`.
    status: Text.required() => |row| row.charge.event.status.name();
    /// The provider's HTTP status.
    http_status: Int => |row| row.charge.event.http_status.map(i32::from);
    /// The kind of error.
    error_type: Text => |row| &row.charge.event.error_type;
    /// Whether the answer was streamed.
    stream: Bool => |row| row.charge.event.stream;
    /// Whether the gateway answered from its own cache.
    gateway_cache_hit: Bool => |row| row.charge.event.gateway_cache_hit;
    /// How long the call took.
    latency_ms: Long.unit("ms").delta() => |row| row.charge.event.latency_ms;
    /// Time to the first token.
    ttft_ms: Long.unit("ms").delta() => |row| row.charge.event.ttft_ms;

    // Revisions.
    /// Whether a later event will finalize this row.
    provisional: Bool.required() => |row| row.charge.event.provisional;
    /// How often the row was changed; 0 as first written.
    revision: Int.required() => |_row| 0;
    /// When it was changed last.
    revised_at: Time.delta() => |_row| Cell::Null;
    /// Why it was changed last.
    revision_reason: Text.many() => |_row| Cell::Null;
}
