//! Facts of a call that rows may ask for: speed, geography, host, location.

use std::borrow::Cow;
use std::sync::Arc;

use super::condition::Test;
use super::row::STANDARD;
use crate::event::{CallEvent, Json};
use crate::usage::{Usage, service_tier};

/// The facts of one call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    pub event: &'a CallEvent,
    pub usage: &'a Usage,
}

impl Facts<'_> {
    /// The fact of that name: as the usage block states it, else the call's context, else the
    /// event.
    pub(super) fn fact(&self, name: &str) -> Option<&str> {
        let stated = self.usage.facts.get(name).map(String::as_str);
        stated
            .or_else(|| self.event.fact(name).and_then(Json::as_text))
            .or_else(|| self.derived(name))
    }

    fn derived(&self, name: &str) -> Option<&str> {
        match name {
            "host" => host_of(self.event.fact("base_url")?.as_text()?),
            "location" | "region" => self.event.region.as_deref(),
            "api" => self.event.api.as_deref(),
            "source" => Some(&self.event.source),
            _ => None,
        }
    }

    /// Whether all tests hold.
    pub(super) fn satisfy(&self, when: &[(Arc<str>, Test)]) -> bool {
        when.iter().all(|(name, test)| test.holds(self.fact(name)))
    }
}

/// The host of a URL: `eu.api.openai.com`.
fn host_of(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':', '?']).next().filter(|host| !host.is_empty())
}

/// The service tier that served the call: as the usage block says, else as the event does.
pub(super) fn tier_name<'a>(event: &CallEvent, usage: &'a Usage) -> Cow<'a, str> {
    match (usage.service_tier.as_deref(), event.service_tier.as_deref()) {
        (Some(tier), _) => Cow::Borrowed(tier),
        (None, Some(spelled)) => Cow::Owned(service_tier(spelled)),
        (None, None) => Cow::Borrowed(STANDARD),
    }
}

/// The tier of capacity that is paid for by the hour.
pub(super) const PROVISIONED: &str = "provisioned";

/// Whether the call was served from capacity that is paid for otherwise.
pub(super) fn is_committed(event: &CallEvent, tier: &str) -> bool {
    let deployment_type = event.fact("deployment_type").and_then(Json::as_text);
    tier == PROVISIONED || deployment_type == Some(PROVISIONED)
}
