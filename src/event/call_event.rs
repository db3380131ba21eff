//! The raw call event, version 1: what one model call reported about itself.
//!
//! It holds allow-listed fields only. Absent is `None`, never a zero or an empty text. `schemas/`
//! has the same event as JSON Schema and Avro.

use std::collections::BTreeMap;

use super::Json;
use crate::money::Decimal;
use crate::time::Timestamp;

/// How the call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallStatus {
    /// It was answered in full.
    #[default]
    Ok,
    /// It was answered with an error.
    Failed,
    /// The caller went away or the stream broke: its counters are a lower bound.
    Aborted,
}

impl CallStatus {
    /// The name in events and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
        }
    }

    /// The status of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Ok, Self::Failed, Self::Aborted].into_iter().find(|status| status.name() == name)
    }
}

/// Who a call is for: the columns that cost is grouped by. In an event it is the caller's claim, in
/// an [`super::Envelope`] what the credential asserts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Who {
    /// The customer account that the spend belongs to.
    pub tenant: Option<String>,
    /// The team that owns the feature.
    pub team: Option<String>,
    /// The product.
    pub product: Option<String>,
    /// The feature of the product.
    pub feature: Option<String>,
    /// `production`, `staging` and so on.
    pub environment: Option<String>,
    /// The customer of the tenant.
    pub customer: Option<String>,
    /// The person, by an opaque id.
    pub user_id: Option<String>,
    /// The business unit.
    pub business_unit: Option<String>,
    /// The cost center.
    pub cost_center: Option<String>,
    /// The project.
    pub project: Option<String>,
    /// The API key's alias or hash; never the key.
    pub api_key: Option<String>,
}

impl Who {
    /// Names of the fields, in column order.
    pub const FIELDS: [&str; 11] = [
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
    ];

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Option<String>> {
        Some(match name {
            "tenant" => &self.tenant,
            "team" => &self.team,
            "product" => &self.product,
            "feature" => &self.feature,
            "environment" => &self.environment,
            "customer" => &self.customer,
            "user_id" => &self.user_id,
            "business_unit" => &self.business_unit,
            "cost_center" => &self.cost_center,
            "project" => &self.project,
            "api_key" => &self.api_key,
            _ => return None,
        })
    }

    /// The field of that name, to be written.
    pub fn field_mut(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "tenant" => &mut self.tenant,
            "team" => &mut self.team,
            "product" => &mut self.product,
            "feature" => &mut self.feature,
            "environment" => &mut self.environment,
            "customer" => &mut self.customer,
            "user_id" => &mut self.user_id,
            "business_unit" => &mut self.business_unit,
            "cost_center" => &mut self.cost_center,
            "project" => &mut self.project,
            "api_key" => &mut self.api_key,
            _ => return None,
        })
    }

    /// The fields that are set, in column order.
    pub fn present(&self) -> impl Iterator<Item = (&'static str, &str)> {
        Self::FIELDS.into_iter().filter_map(|name| {
            let value = self.field(name)?.as_deref()?;
            Some((name, value))
        })
    }
}

/// One model call, as the gateway or SDK reported it.
#[derive(Debug, Clone, PartialEq)]
pub struct CallEvent {
    /// The sender's id of the event, unique within its source.
    pub event_id: String,
    /// Which gateway or SDK instance sent it.
    pub source: String,
    /// When the call was completed.
    pub occurred_at: Timestamp,
    /// Who answered: `openai`, `anthropic`, `google`, or a dialect's name such as `litellm_proxy`.
    pub provider: String,
    /// Which of the provider's APIs answered: `chat.completions`, `messages` and so on.
    pub api: Option<String>,
    /// Whose rules the counters follow, where that is not the provider's own.
    pub usage_dialect: Option<String>,
    /// The model, as the response named it.
    pub model: String,
    /// The model, as the caller asked for it.
    pub request_model: Option<String>,
    /// The provider's usage object, scrubbed; an array for chunks or several responses; `None` when
    /// it was absent or null.
    pub usage: Option<Json>,
    /// Call facts that prices depend on; an object, scrubbed. `None` when absent.
    pub context: Option<Json>,
    /// `chat`, `embeddings`, `image` and so on.
    pub operation: Option<String>,
    /// The service tier that served the call.
    pub service_tier: Option<String>,
    /// The provider's region.
    pub region: Option<String>,
    /// The deployment's name, where the provider has such.
    pub deployment: Option<String>,
    /// Who the caller says the call is for.
    pub who: Who,
    /// Free tags of the caller.
    pub tags: BTreeMap<String, String>,
    /// The distributed trace.
    pub trace_id: Option<String>,
    /// The operation that retries share.
    pub operation_id: Option<String>,
    /// Which try of the operation this is.
    pub attempt: Option<u32>,
    /// The call that this one is a step of.
    pub parent_id: Option<String>,
    /// The step's name: draft, review and so on.
    pub step: Option<String>,
    /// The event id of the call that this one stands in for.
    pub fallback_of: Option<String>,
    /// The provider's id of the response.
    pub provider_response_id: Option<String>,
    /// How the call ended.
    pub status: CallStatus,
    /// The provider's HTTP status.
    pub http_status: Option<u16>,
    /// The kind of error.
    pub error_type: Option<String>,
    /// How long the call took.
    pub latency_ms: Option<u64>,
    /// Time to the first token.
    pub ttft_ms: Option<u64>,
    /// Whether the answer was streamed.
    pub stream: Option<bool>,
    /// What the sender says it cost, in USD.
    pub reported_cost: Option<Decimal>,
    /// Who computed the reported cost.
    pub reported_cost_source: Option<String>,
    /// Whether the gateway answered from its own cache.
    pub gateway_cache_hit: Option<bool>,
    /// Whether a later event will finalize this one.
    pub provisional: bool,
    /// Whether this event replaces the row of its identity.
    pub corrects: bool,
}

impl CallEvent {
    /// An event with the required fields only.
    pub fn new(event_id: &str, source: &str, at: Timestamp, provider: &str, model: &str) -> Self {
        Self {
            event_id: event_id.to_owned(),
            source: source.to_owned(),
            occurred_at: at,
            provider: provider.to_owned(),
            api: None,
            usage_dialect: None,
            model: model.to_owned(),
            request_model: None,
            usage: None,
            context: None,
            operation: None,
            service_tier: None,
            region: None,
            deployment: None,
            who: Who::default(),
            tags: BTreeMap::new(),
            trace_id: None,
            operation_id: None,
            attempt: None,
            parent_id: None,
            step: None,
            fallback_of: None,
            provider_response_id: None,
            status: CallStatus::Ok,
            http_status: None,
            error_type: None,
            latency_ms: None,
            ttft_ms: None,
            stream: None,
            reported_cost: None,
            reported_cost_source: None,
            gateway_cache_hit: None,
            provisional: false,
            corrects: false,
        }
    }

    /// The call fact of that name from `context`.
    pub fn fact(&self, name: &str) -> Option<&Json> {
        self.context.as_ref()?.field(name)
    }
}
