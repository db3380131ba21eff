//! `control`: API keys, a row per change; the latest row of a key is what holds.
//!
//! It holds hashes, never keys.

use std::collections::BTreeMap;

use crate::lake::cell::Cell;
use crate::lake::column::{Column, columns};
use crate::lake::rows::Row;
use crate::time::Timestamp;

/// One row of `control`: one key as it is from `updated_at` on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlRow {
    /// Stable over the key's changes.
    pub key_id: String,
    /// The hash of the key.
    pub key_hash: [u8; 32],
    /// How its text begins, for people to tell keys apart.
    pub prefix: String,
    /// Whose it is: the namespace of the event ids that it sends.
    pub owner: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// The tenants that it may read and write; empty: all.
    pub tenants: Vec<String>,
    /// What it asserts about every call that is sent with it, by who-column.
    pub asserted: BTreeMap<String, String>,
    /// Whether a claimed tenant counts where none is asserted.
    pub claims_allowed: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When this row was written.
    pub updated_at: Timestamp,
    /// A remark.
    pub note: Option<String>,
}

impl Row for ControlRow {
    fn columns() -> &'static [Column<Self>] {
        COLUMNS
    }

    fn date(&self) -> Option<i32> {
        None
    }
}

fn texts(list: &[String]) -> Cell<'_> {
    Cell::Texts(list.iter().map(String::as_str).collect())
}

columns! {
    pub(super) COLUMNS of ControlRow;

    /// Stable over the key's changes.
    key_id: Text.required() => |row| &row.key_id;
    /// SHA-256 of the key; the key itself is nowhere.
    key_hash: Bytes.required().plain() => |row| row.key_hash.as_slice();
    /// How its text begins, for people to tell keys apart.
    prefix: Text.required() => |row| &row.prefix;
    /// Whose it is: the namespace of the event ids that it sends.
    owner: Text.required() => |row| &row.owner;
    /// What it may do: `ingest`, `query`, `admin`.
    scopes: Texts.required() => |row| texts(&row.scopes);
    /// The tenants that it may read and write; empty: all.
    tenants: Texts.required() => |row| texts(&row.tenants);
    /// What it asserts about every call that is sent with it, by who-column.
    asserted: TextMap.required() => |row| &row.asserted;
    /// Whether a claimed tenant counts where none is asserted.
    claims_allowed: Bool.required() => |row| row.claims_allowed;
    /// When it was made.
    created_at: Time.required() => |row| row.created_at;
    /// When it ends by itself.
    expires_at: Time => |row| row.expires_at;
    /// When it was revoked.
    revoked_at: Time => |row| row.revoked_at;
    /// When this row was written; the latest one of a key holds.
    updated_at: Time.required() => |row| row.updated_at;
    /// A remark.
    note: Text.many() => |row| &row.note;
}
