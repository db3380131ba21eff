//! Keys in the lake's `control` table: a row per change, and the latest row of a key holds.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::TimestampMicrosecondType;
use async_trait::async_trait;
use uuid::Uuid;

use super::{KeyError, KeyHash, KeyRecord, KeyScope, KeyStore, NewKey};
use crate::event::Who;
use crate::lake::{Commit, ControlRow, LakeError, Outcome, Rows, StagedFile, Table};
use crate::time::Timestamp;

/// How often a commit is tried while others write the same table.
const ATTEMPTS_MAX: usize = 20;

/// The `control` table as a place for keys.
pub struct ControlKeys {
    table: Table,
    /// The version that was read last, and its keys.
    known: Mutex<Option<(u64, Vec<KeyRecord>)>>,
}

impl ControlKeys {
    /// Over the `control` table of a lake.
    pub const fn new(table: Table) -> Self {
        Self { table, known: Mutex::new(None) }
    }

    /// The keys of that version, where it is the one that was read last.
    fn known(&self, version: u64) -> Option<Vec<KeyRecord>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|(read, _)| *read == version).map(|(_, records)| records.clone())
    }

    async fn commit(&self, files: Vec<StagedFile>) -> Result<(), LakeError> {
        let commit = Commit::append(files, vec![(format!("control/{}", Uuid::new_v4()), 1)]);
        let mut on = self.table.snapshot()?;
        for _ in 0..ATTEMPTS_MAX {
            match self.table.commit(&on, &commit).await? {
                Outcome::Committed(_) | Outcome::Superseded { .. } => return Ok(()),
                Outcome::Conflicted { newest } => on = newest,
            }
        }
        let what = "committing a key to `control`".to_owned();
        Err(LakeError::Retryable { what, why: "others kept writing".to_owned() })
    }
}

#[async_trait]
impl KeyStore for ControlKeys {
    async fn load(&self) -> Result<Vec<KeyRecord>, KeyError> {
        let snapshot = self.table.refresh().await?;
        if let Some(records) = self.known(snapshot.version()) {
            return Ok(records);
        }
        let mut latest: BTreeMap<String, (Timestamp, KeyRecord)> = BTreeMap::new();
        for file in snapshot.files().await?.iter() {
            for batch in self.table.read(file, None).await? {
                for (updated_at, record) in records(&batch)? {
                    let known = latest.get(&record.key_id).map(|(at, _)| *at);
                    if known.is_none_or(|at| at <= updated_at) {
                        latest.insert(record.key_id.clone(), (updated_at, record));
                    }
                }
            }
        }
        let records: Vec<KeyRecord> = latest.into_values().map(|(_, record)| record).collect();
        let read = Some((snapshot.version(), records.clone()));
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(records)
    }

    async fn put(&self, record: &KeyRecord, at: Timestamp) -> Result<(), KeyError> {
        let mut rows = Rows::<ControlRow>::default();
        rows.push(&row(record, at));
        let files = self.table.write(rows.finish()?).await?;
        Ok(self.commit(files).await?)
    }
}

impl From<LakeError> for KeyError {
    fn from(error: LakeError) -> Self {
        Self::Store(error.to_string())
    }
}

fn row(record: &KeyRecord, updated_at: Timestamp) -> ControlRow {
    let terms = &record.terms;
    ControlRow {
        key_id: record.key_id.clone(),
        key_hash: record.hash.bytes(),
        prefix: record.prefix.clone(),
        owner: terms.owner.clone(),
        scopes: terms.scopes.iter().map(|scope| scope.name().to_owned()).collect(),
        tenants: terms.tenants.iter().cloned().collect(),
        asserted: terms.assertions(),
        claims_allowed: terms.claims_allowed,
        created_at: record.created_at,
        expires_at: terms.expires_at,
        revoked_at: record.revoked_at,
        updated_at,
        note: (!terms.label.is_empty()).then(|| terms.label.clone()),
    }
}

/// The rows of a batch, each with the time at which it was written.
fn records(batch: &RecordBatch) -> Result<Vec<(Timestamp, KeyRecord)>, KeyError> {
    let fields = Fields { batch };
    (0..batch.num_rows())
        .map(|row| {
            fields.record(row).ok_or_else(|| {
                // A key that cannot be read opens no door; and nobody must think it was revoked.
                KeyError::Store("a row of `control` cannot be read".to_owned())
            })
        })
        .collect()
}

/// Cells of a batch of `control`, by column name; `None` is NULL, or not what it should be.
struct Fields<'a> {
    batch: &'a RecordBatch,
}

impl Fields<'_> {
    fn record(&self, row: usize) -> Option<(Timestamp, KeyRecord)> {
        let scopes = self.texts("scopes", row)?;
        let scopes = scopes.iter().map(|name| KeyScope::from_name(name));
        let mut terms = NewKey {
            owner: self.text("owner", row)?,
            label: self.text("note", row).unwrap_or_default(),
            scopes: scopes.collect::<Option<_>>()?,
            tenants: self.texts("tenants", row)?.into_iter().collect(),
            asserted: Who::default(),
            claims_allowed: self.column("claims_allowed")?.as_boolean_opt()?.value(row),
            expires_at: self.time("expires_at", row)?,
        };
        terms.assert(self.asserted(row)?).ok()?;
        let hash = self.column("key_hash")?.as_binary_opt::<i32>()?.value(row);
        let record = KeyRecord {
            key_id: self.text("key_id", row)?,
            hash: KeyHash::from_bytes(hash.try_into().ok()?),
            prefix: self.text("prefix", row)?,
            terms,
            created_at: self.time("created_at", row)??,
            revoked_at: self.time("revoked_at", row)?,
        };
        Some((self.time("updated_at", row)??, record))
    }

    fn column(&self, name: &str) -> Option<&dyn Array> {
        self.batch.column_by_name(name).map(AsRef::as_ref)
    }

    fn text(&self, name: &str, row: usize) -> Option<String> {
        let texts = self.column(name)?.as_string_opt::<i32>()?;
        texts.is_valid(row).then(|| texts.value(row).to_owned())
    }

    fn texts(&self, name: &str, row: usize) -> Option<Vec<String>> {
        let list = self.column(name)?.as_list_opt::<i32>()?.value(row);
        Some(owned(list.as_string_opt::<i32>()?))
    }

    /// The outer `None` is a column that is not one of times.
    fn time(&self, name: &str, row: usize) -> Option<Option<Timestamp>> {
        let times = self.column(name)?.as_primitive_opt::<TimestampMicrosecondType>()?;
        if times.is_null(row) {
            return Some(None);
        }
        Timestamp::from_micros(times.value(row)).map(Some)
    }

    fn asserted(&self, row: usize) -> Option<BTreeMap<String, String>> {
        let entries = self.column("asserted")?.as_map_opt()?.value(row);
        let names = owned(entries.column(0).as_string_opt::<i32>()?);
        let values = owned(entries.column(1).as_string_opt::<i32>()?);
        Some(names.into_iter().zip(values).collect())
    }
}

fn owned(texts: &StringArray) -> Vec<String> {
    texts.iter().flatten().map(str::to_owned).collect()
}
