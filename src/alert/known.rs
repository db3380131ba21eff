//! The incidents that are in the table: what a restart goes on from.

use std::collections::HashMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Decimal128Type, Int64Type, TimestampMicrosecondType};
use serde_json::Value;

use crate::anomaly::{Anomaly, Contribution, IncidentState, Scope};
use crate::lake::{LakeError, Snapshot, Table};
use crate::money::Usd;
use crate::time::{Timestamp, Window};

/// A revision as stored, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The incident.
    pub anomaly: Anomaly,
    /// When this revision was written.
    pub written_at: Timestamp,
}

/// Every stored revision, oldest first.
///
/// # Errors
/// [`LakeError`] when a file cannot be read.
pub async fn stored(table: &Table, snapshot: &Snapshot) -> Result<Vec<Stored>, LakeError> {
    let mut all = Vec::new();
    for file in snapshot.files().await?.iter() {
        for batch in table.read(file, None).await? {
            all.extend((0..batch.num_rows()).filter_map(|row| read(&batch, row)));
        }
    }
    all.sort_by_key(|stored| (stored.written_at, stored.anomaly.anomaly_id));
    Ok(all)
}

/// The latest revision of each incident.
pub fn latest(stored: &[Stored]) -> Vec<Anomaly> {
    let mut latest: HashMap<uuid::Uuid, &Anomaly> = HashMap::new();
    for Stored { anomaly, .. } in stored {
        let known = latest.entry(anomaly.anomaly_id).or_insert(anomaly);
        if known.revision < anomaly.revision {
            *known = anomaly;
        }
    }
    latest.into_values().cloned().collect()
}

fn read(batch: &RecordBatch, row: usize) -> Option<Stored> {
    let text = |name: &str| {
        let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
        column.is_valid(row).then(|| column.value(row).to_owned())
    };
    let time = |name: &str| {
        let column = batch.column_by_name(name)?.as_primitive_opt::<TimestampMicrosecondType>()?;
        Timestamp::from_micros(column.value(row))
    };
    let usd = |name: &str| {
        let column = batch.column_by_name(name)?.as_primitive_opt::<Decimal128Type>()?;
        Some(Usd::from_pico(column.value(row)))
    };
    let revision = batch.column_by_name("revision")?.as_primitive_opt::<Int64Type>()?.value(row);
    let tenant = text("tenant")?;
    let scope = match text("model") {
        Some(model) => Scope::TenantModel { tenant, model },
        None => Scope::Tenant { tenant },
    };
    let states = [IncidentState::Open, IncidentState::Resolved];
    let state = text("state")?;
    Some(Stored {
        anomaly: Anomaly {
            anomaly_id: text("anomaly_id")?.parse().ok()?,
            revision: u32::try_from(revision).ok()?,
            state: states.into_iter().find(|known| known.name() == state)?,
            scope,
            detector: text("detector")?,
            window: Window { start: time("window_start")?, end: time("window_end")? },
            actual: usd("actual_usd")?,
            expected: usd("expected_usd")?,
            threshold: usd("threshold_usd")?,
            contributors: contributors(&text("contributors")?)?,
            explanation: text("explanation")?,
        },
        written_at: time("published_at")?,
    })
}

fn contributors(json: &str) -> Option<Vec<Contribution>> {
    let entries: Vec<Value> = serde_json::from_str(json).ok()?;
    let read = entries.iter().map(|entry| {
        Some(Contribution {
            dimension: entry.get("dimension")?.as_str()?.to_owned(),
            value: entry.get("value")?.as_str()?.to_owned(),
            excess: entry.get("excess_usd")?.as_str()?.parse().ok()?,
            share_percent: u8::try_from(entry.get("share_percent")?.as_u64()?).ok()?,
        })
    });
    read.collect()
}
