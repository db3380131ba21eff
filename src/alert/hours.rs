//! Hourly cost series from the committed rows.
//!
//! In: a snapshot of `calls`. Out: a series for each tenant and each tenant's model. A data file
//! never changes, so its sums are kept; a new version costs what it added.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{Decimal128Type, TimestampMicrosecondType};
use futures::TryStreamExt;

use crate::anomaly::{HourCost, Scope, Series};
use crate::lake::{DataFile, LakeError, Snapshot, Table};
use crate::money::Usd;
use crate::time::Timestamp;

const COLUMNS: [&str; 7] =
    ["tenant", "priced_model", "response_model", "feature", "api_key", "occurred_at", "cost_usd"];

/// A cell of the sums: one tenant's hour, by what drives it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Cell {
    tenant: String,
    model: String,
    feature: Option<String>,
    api_key: Option<String>,
    hour: Timestamp,
}

/// What was spent in a cell.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    cost: Usd,
    calls: u64,
}

type Sums = HashMap<Cell, Spent>;

/// The sums of the files of the last version looked at.
#[derive(Debug, Default)]
pub struct Hours {
    files: HashMap<String, Arc<Sums>>,
}

impl Hours {
    /// Sums up the files of a version that may hold events of `since..until`; files seen before are
    /// not read again.
    ///
    /// # Errors
    /// [`LakeError`] when a file cannot be read.
    pub async fn update(
        &mut self,
        table: &Table,
        snapshot: &Snapshot,
        (since, until): (Timestamp, Timestamp),
    ) -> Result<(), LakeError> {
        let files = snapshot.files().await?;
        let first_date = since.date();
        let is_wanted = |file: &&DataFile| {
            let recent = file.date.as_ref().is_none_or(|date| date.as_str() >= first_date.as_str());
            let begins_before = || begins_at(file).is_none_or(|first| first < until);
            recent && (self.files.contains_key(&file.path) || begins_before())
        };
        let mut kept = HashMap::new();
        let wanted: Vec<&DataFile> = files.iter().filter(is_wanted).collect();
        for file in wanted {
            let sums = match self.files.remove(&file.path) {
                Some(sums) => sums,
                None => Arc::new(sums_of(table, file).await?),
            };
            kept.insert(file.path.clone(), sums);
        }
        self.files = kept;
        Ok(())
    }

    /// The series of every scope, of hours in `since..until`.
    pub fn series(&self, since: Timestamp, until: Timestamp, judge_from: Timestamp) -> Vec<Series> {
        let mut scopes: BTreeMap<Scope, BTreeMap<Timestamp, HourCost>> = BTreeMap::new();
        for (cell, spent) in self.files.values().flat_map(|sums| sums.iter()) {
            if cell.hour < since || cell.hour >= until {
                continue;
            }
            let tenant = cell.tenant.clone();
            let by_model = Scope::TenantModel { tenant: tenant.clone(), model: cell.model.clone() };
            for scope in [Scope::Tenant { tenant }, by_model] {
                let hours = scopes.entry(scope).or_default();
                let hour = hours.entry(cell.hour).or_insert_with(|| HourCost {
                    hour: cell.hour,
                    cost: Usd::ZERO,
                    calls: 0,
                    by: BTreeMap::new(),
                });
                add(hour, cell, *spent);
            }
        }
        let series = scopes.into_iter().map(|(scope, hours)| Series {
            scope,
            hours: hours.into_values().collect(),
            judge_from,
            until,
        });
        series.collect()
    }
}

fn add(hour: &mut HourCost, cell: &Cell, spent: Spent) {
    hour.cost = plus(hour.cost, spent.cost);
    hour.calls = hour.calls.saturating_add(spent.calls);
    let dimensions = [
        ("model", Some(&cell.model)),
        ("feature", cell.feature.as_ref()),
        ("api_key", cell.api_key.as_ref()),
    ];
    for (dimension, value) in dimensions {
        if let Some(value) = value {
            let slot = hour.by.entry((dimension.to_owned(), value.clone())).or_default();
            *slot = plus(*slot, spent.cost);
        }
    }
}

/// Amounts in the table are below 10^18 picodollars: their sum overflows after 10^20 of them.
fn plus(a: Usd, b: Usd) -> Usd {
    a.checked_add(b).unwrap_or(a)
}

/// No event of the file is earlier; what the log says of times is cut, never later.
fn begins_at(file: &DataFile) -> Option<Timestamp> {
    file.statistics.as_ref()?.least_time("occurred_at")
}

/// The sums of one file, read a batch at a time.
async fn sums_of(table: &Table, file: &DataFile) -> Result<Sums, LakeError> {
    let mut sums = Sums::new();
    let mut rows = table.open_file(file, Some(&COLUMNS)).await?.rows;
    while let Some(batch) = rows.try_next().await? {
        add_batch(&mut sums, &batch);
    }
    Ok(sums)
}

/// Rows without a cost, whose price or usage is unknown, are calls that cost nothing known.
fn add_batch(sums: &mut Sums, batch: &RecordBatch) -> Option<()> {
    let text = |name: &str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
    let tenants = text("tenant")?;
    let (priced, response) = (text("priced_model")?, text("response_model")?);
    let (features, keys) = (text("feature")?, text("api_key")?);
    let times = batch.column_by_name("occurred_at")?;
    let times = times.as_primitive_opt::<TimestampMicrosecondType>()?;
    let costs = batch.column_by_name("cost_usd")?.as_primitive_opt::<Decimal128Type>()?;
    for row in 0..batch.num_rows() {
        let Some(at) = Timestamp::from_micros(times.value(row)) else { continue };
        let model = owned(priced, row).or_else(|| owned(response, row)).unwrap_or_default();
        let cell = Cell {
            tenant: owned(tenants, row).unwrap_or_default(),
            model,
            feature: owned(features, row),
            api_key: owned(keys, row),
            hour: at.hour_start(),
        };
        let spent = sums.entry(cell).or_default();
        spent.calls += 1;
        if costs.is_valid(row) {
            spent.cost = plus(spent.cost, Usd::from_pico(costs.value(row)));
        }
    }
    Some(())
}

fn owned(texts: &StringArray, row: usize) -> Option<String> {
    texts.is_valid(row).then(|| texts.value(row).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::tests::lake::{TABLE, TestLake, at};

    /// Files whose first event is of an hour that is still open are read once it has closed.
    #[tokio::test(flavor = "multi_thread")]
    async fn files_of_open_hours_wait() {
        let test = TestLake::full().await;
        let table = test.lake.table(TABLE);
        let version = table.snapshot().expect("open");
        let until = at("2026-11-21T03:00:00Z");
        let (mut some, mut all) = (Hours::default(), Hours::default());
        some.update(table, &version, (Timestamp::EPOCH, until)).await.expect("sums");
        let far = at("2027-01-01T00:00:00Z");
        all.update(table, &version, (Timestamp::EPOCH, far)).await.expect("sums");
        assert_eq!((some.files.len(), all.files.len()), (2, 8));
        let series = |hours: &Hours, until| {
            format!("{:?}", hours.series(Timestamp::EPOCH, until, Timestamp::EPOCH))
        };
        assert_eq!(series(&some, until), series(&all, until));
        some.update(table, &version, (Timestamp::EPOCH, far)).await.expect("sums");
        assert_eq!(series(&some, far), series(&all, far));
    }
}
