//! Who a call is for, and how that is known.

use std::collections::BTreeMap;

use crate::event::Who;

/// The tenant of rows that nobody can be named for.
pub const UNATTRIBUTED: &str = "unattributed";

/// How the tenant is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TenantSource {
    /// The credential or the tenant table says so.
    Asserted,
    /// A rule of the configuration says so.
    Rule,
    /// The caller says so, where that is allowed.
    Claimed,
    /// Nobody says so: `unattributed`.
    None,
}

impl TenantSource {
    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asserted => "asserted",
            Self::Rule => "rule",
            Self::Claimed => "claimed",
            Self::None => "none",
        }
    }
}

/// How the value of a who-column is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WhoSource {
    /// The credential asserts it.
    Credential,
    /// The table of senders asserts it.
    Sender,
    /// A rule of the configuration gives it.
    Rule,
    /// The caller claims it.
    Claim,
}

impl WhoSource {
    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Sender => "sender",
            Self::Rule => "rule",
            Self::Claim => "claim",
        }
    }

    /// The same, of the tenant.
    pub(super) const fn of_tenant(self) -> TenantSource {
        match self {
            Self::Credential | Self::Sender => TenantSource::Asserted,
            Self::Rule => TenantSource::Rule,
            Self::Claim => TenantSource::Claimed,
        }
    }

    /// The source of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Credential, Self::Sender, Self::Rule, Self::Claim];
        all.into_iter().find(|source| source.name() == name)
    }
}

/// What is known about the sender of an event, whatever the event says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sender {
    /// Whose identities its event ids are.
    pub namespace: String,
    /// What the credential asserts.
    pub asserted: Who,
    /// Whether a claimed tenant counts where none is asserted.
    pub claims_allowed: bool,
}

/// Who a call is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribution {
    /// The columns; the tenant is always set.
    pub who: Who,
    /// How the tenant is known.
    pub tenant_source: TenantSource,
    /// How each column that has a value is known, in column order.
    pub sources: Vec<(&'static str, WhoSource)>,
    /// What the caller claimed in columns that something else has filled, by column name.
    pub claimed_who: BTreeMap<String, String>,
    /// Whether the credential lets its events name a tenant.
    pub claims_allowed: bool,
}

impl Attribution {
    /// How a column is known; `None` when it has no value.
    pub fn source_of(&self, column: &str) -> Option<WhoSource> {
        let mut sources = self.sources.iter();
        sources.find(|(named, _)| *named == column).map(|(_, source)| *source)
    }

    /// What the caller claimed: the same claims, with the same sender, are attributed the same.
    pub fn claims(&self) -> Who {
        let mut claims = self.of(WhoSource::Claim);
        for (column, claim) in &self.claimed_who {
            if let Some(slot) = claims.field_mut(column) {
                *slot = Some(claim.clone());
            }
        }
        claims
    }

    /// What is known of the sender beside the configuration.
    pub fn sender(&self, namespace: &str) -> Sender {
        Sender {
            namespace: namespace.to_owned(),
            asserted: self.of(WhoSource::Credential),
            claims_allowed: self.claims_allowed,
        }
    }

    fn of(&self, source: WhoSource) -> Who {
        let mut who = Who::default();
        for (column, value) in self.who.present() {
            if let Some(slot) = who.field_mut(column)
                && self.source_of(column) == Some(source)
            {
                *slot = Some(value.to_owned());
            }
        }
        who
    }
}
