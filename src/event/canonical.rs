//! The canonical form of an event: what is stored of it, and what its content hash covers.

use super::{CallEvent, CallStatus, Json, Who};

impl CallEvent {
    /// The event as canonical JSON: sorted keys, exact numbers, absent fields left out. Decoding it
    /// gives the event back.
    pub fn canonical(&self) -> String {
        self.to_json().to_string()
    }

    /// The size of the canonical form, without making it where it is surely small.
    pub(super) fn stored_bytes(&self) -> usize {
        self.canonical().len()
    }

    /// The event as a JSON object of the raw call event, version 1.
    pub fn to_json(&self) -> Json {
        let mut fields: Vec<(String, Json)> = Vec::with_capacity(24);
        let mut put = |key: &str, value: Json| fields.push((key.to_owned(), value));
        for (key, text) in self.texts() {
            put(key, Json::Text(text.to_owned()));
        }
        for (key, value) in self.who.present() {
            put(key, Json::Text(value.to_owned()));
        }
        for (key, count) in self.counts() {
            put(key, Json::Number(count.into()));
        }
        for (key, value) in self.truths() {
            put(key, Json::Bool(value));
        }
        put("occurred_at", Json::Text(self.occurred_at.to_string()));
        if self.status != CallStatus::Ok {
            put("status", Json::Text(self.status.name().to_owned()));
        }
        if let Some(cost) = self.reported_cost {
            put("reported_cost", Json::Number(cost));
        }
        for (key, block) in [("usage", &self.usage), ("context", &self.context)] {
            if let Some(block) = block {
                put(key, block.clone());
            }
        }
        if !self.tags.is_empty() {
            let tags = self.tags.iter();
            let tags = tags.map(|(key, value)| (key.clone(), Json::Text(value.clone())));
            put("tags", Json::Object(tags.collect()));
        }
        fields.sort_by(|(a, _), (b, _)| a.cmp(b));
        Json::Object(fields)
    }

    fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let required = [
            ("event_id", &self.event_id),
            ("source", &self.source),
            ("provider", &self.provider),
            ("model", &self.model),
        ];
        let optional = [
            ("api", &self.api),
            ("usage_dialect", &self.usage_dialect),
            ("request_model", &self.request_model),
            ("operation", &self.operation),
            ("service_tier", &self.service_tier),
            ("region", &self.region),
            ("deployment", &self.deployment),
            ("trace_id", &self.trace_id),
            ("operation_id", &self.operation_id),
            ("parent_id", &self.parent_id),
            ("step", &self.step),
            ("fallback_of", &self.fallback_of),
            ("provider_response_id", &self.provider_response_id),
            ("error_type", &self.error_type),
            ("reported_cost_source", &self.reported_cost_source),
        ];
        let optional = optional.into_iter().filter_map(|(key, text)| Some((key, text.as_deref()?)));
        required.into_iter().map(|(key, text)| (key, text.as_str())).chain(optional)
    }

    fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = [
            ("attempt", self.attempt.map(u64::from)),
            ("http_status", self.http_status.map(u64::from)),
            ("latency_ms", self.latency_ms),
            ("ttft_ms", self.ttft_ms),
        ];
        counts.into_iter().filter_map(|(key, count)| Some((key, count?)))
    }

    fn truths(&self) -> impl Iterator<Item = (&'static str, bool)> {
        let truths = [
            ("stream", self.stream),
            ("gateway_cache_hit", self.gateway_cache_hit),
            ("provisional", self.provisional.then_some(true)),
            ("corrects", self.corrects.then_some(true)),
        ];
        truths.into_iter().filter_map(|(key, value)| Some((key, value?)))
    }
}

impl Who {
    /// The fields that are set, as a JSON object.
    pub(super) fn to_json(&self) -> Json {
        let fields = self.present().map(|(key, value)| (key.to_owned(), Json::Text(value.into())));
        let mut fields: Vec<(String, Json)> = fields.collect();
        fields.sort_by(|(a, _), (b, _)| a.cmp(b));
        Json::Object(fields)
    }
}
