//! What the configuration says about whose calls are whose.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The part of the configuration that names tenants and fills the who-columns.
///
/// ```toml
/// [[senders]]                      # what a sender stands for, whatever its events claim
/// source = "gateway-eu"            # and/or `namespace`, `api_key`
/// assert = { tenant = "acme", environment = "production" }
///
/// [[rules]]                        # the first rule that fills a column wins
/// name = "checkout"
/// when = { "tag.app" = "checkout" }
/// set = { team = "payments", feature = "checkout" }
/// copy = { customer = "tag.customer_id" }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RulesConfig {
    /// Known senders: the first that matches and asserts a column wins.
    pub senders: Vec<SenderRule>,
    /// Rules over tags and other fields, in order.
    pub rules: Vec<TagRule>,
}

/// What is known of one sender. Whatever is given of `namespace`, `source` and `api_key` must
/// match.
///
/// Only the namespace comes from the credential; `source` and `api_key` are what the event says, so
/// name the namespace too where its senders do not trust each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SenderRule {
    /// The owner of the credential.
    pub namespace: Option<String>,
    /// The gateway or SDK instance.
    pub source: Option<String>,
    /// The API key's alias or hash.
    pub api_key: Option<String>,
    /// Whether a tenant that the event claims counts where none is asserted.
    pub claims_allowed: bool,
    /// What is asserted, by column.
    pub assert: BTreeMap<String, String>,
}

/// Fills columns of the events it matches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TagRule {
    /// What messages call it.
    pub name: Option<String>,
    /// Fields and the exact values they must have: `tag.<key>`, a column such as `api_key`, or
    /// `namespace`, `source`, `provider`, `api`, `model`, `request_model`, `operation`,
    /// `deployment`, `region`. None: every event.
    pub when: BTreeMap<String, String>,
    /// Columns and the values they get.
    pub set: BTreeMap<String, String>,
    /// Columns and the fields whose value they get, where there is one.
    pub copy: BTreeMap<String, String>,
}
