//! What is kept of a key, and what a new one must say.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{KeyError, KeyHash};
use crate::event::Who;
use crate::time::Timestamp;

/// The namespace of a loopback server without keys; no key may own it.
pub const LOCAL: &str = "local";

const NAME_LENGTH_MAX: usize = 64;

/// What a key may do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum KeyScope {
    /// Send events.
    Ingest,
    /// Ask about the tenants it names.
    Query,
    /// Ask about everything, and manage keys.
    Admin,
}

impl KeyScope {
    /// The name in commands, tables and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Query => "query",
            Self::Admin => "admin",
        }
    }

    /// The scope of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Ingest, Self::Query, Self::Admin].into_iter().find(|scope| scope.name() == name)
    }
}

/// What an operator says about a key to be made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewKey {
    /// Whose key it is: the namespace of the event ids sent with it. It stays through rotation.
    pub owner: String,
    /// What it is for, in the operator's words.
    pub label: String,
    /// What it may do.
    pub scopes: BTreeSet<KeyScope>,
    /// Whose rows it may read. An ingest key with exactly one asserts it, too.
    pub tenants: BTreeSet<String>,
    /// What it asserts about every call that is sent with it.
    pub asserted: Who,
    /// Whether a caller's own word counts for the tenant where none is asserted.
    pub claims_allowed: bool,
    /// When it ends; `None`: when it is revoked.
    pub expires_at: Option<Timestamp>,
}

impl NewKey {
    /// What it asserts, by who-column.
    pub fn assertions(&self) -> BTreeMap<String, String> {
        let present = self.asserted.present();
        present.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Lets it assert these values of these who-columns.
    ///
    /// # Errors
    /// [`KeyError::Invalid`] when there is no such column.
    pub fn assert(&mut self, assertions: BTreeMap<String, String>) -> Result<(), KeyError> {
        for (name, value) in assertions {
            let field = self.asserted.field_mut(&name).ok_or_else(|| {
                let known = Who::FIELDS.join("`, `");
                KeyError::Invalid(format!("`{name}` cannot be asserted; these can: `{known}`"))
            })?;
            *field = Some(value);
        }
        Ok(())
    }

    /// The same, checked and completed.
    ///
    /// # Errors
    /// [`KeyError::Invalid`], which says what to say instead.
    pub fn checked(mut self) -> Result<Self, KeyError> {
        let invalid = |message: &str| Err(KeyError::Invalid(message.to_owned()));
        if !is_name(&self.owner) || self.owner == LOCAL {
            return invalid(
                "an owner is 1 to 64 letters, digits, `-`, `_` or `.`, and not `local`",
            );
        }
        if self.label.len() > NAME_LENGTH_MAX || self.label.chars().any(char::is_control) {
            return invalid("a label is at most 64 bytes of plain text");
        }
        if self.scopes.is_empty() {
            return invalid("a key needs a scope: `ingest`, `query` or `admin`");
        }
        let admin = self.scopes.contains(&KeyScope::Admin);
        if admin && !self.tenants.is_empty() {
            return invalid("an admin key reads every tenant: leave its tenants out");
        }
        if self.scopes.contains(&KeyScope::Query) && !admin && self.tenants.is_empty() {
            return invalid("a query key names the tenants it may read, or has the scope `admin`");
        }
        if self.asserted.tenant.is_none() && self.tenants.len() == 1 {
            self.asserted.tenant = self.tenants.first().cloned();
        }
        Ok(self)
    }
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (1..=NAME_LENGTH_MAX).contains(&text.len()) && text.chars().all(plain)
}

/// What is kept of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its id, which may be shown.
    pub key_id: String,
    /// The hash of its text.
    pub hash: KeyHash,
    /// How its text begins, for people to tell keys apart; empty for one that an operator made.
    pub prefix: String,
    /// What it is for and what it may do.
    pub terms: NewKey,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl KeyRecord {
    /// Whether it still opens doors at that moment.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.terms.expires_at.is_none_or(|end| now < end)
    }
}
