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
    /// What the caller claimed where something else was put in its place, by column name.
    pub claimed_who: BTreeMap<String, String>,
}
