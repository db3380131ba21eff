//! The data files of a version, as the log names them.

use arrow::array::{Array, AsArray, Int64Array, MapArray, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use delta_kernel::engine::arrow_data::ArrowEngineData;
use delta_kernel::{Engine, FilteredEngineData, KernelError, KernelResult, SnapshotRef};

use super::tables::DATE;
use crate::time::Timestamp;

/// One data file of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// The path below the table's root, as the log has it: a URL path.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written: milliseconds since the epoch.
    pub modified_at: i64,
    /// The partition, `2026-11-23`; `None` in a table without partitions.
    pub date: Option<String>,
    /// How many rows it has, where the log says so.
    pub records: Option<u64>,
    /// The log's statistics: JSON of `numRecords`, `minValues`, `maxValues`, `nullCount`. Times are
    /// cut to milliseconds, so that the latest row may be up to a millisecond after the largest
    /// one; long texts are cut too.
    pub statistics: Option<String>,
}

impl DataFile {
    /// The partition as days since the epoch; `None` in a table without partitions.
    pub fn days(&self) -> Option<i32> {
        self.date.as_deref().and_then(days_of)
    }
}

/// A partition's date as days since the epoch.
pub(super) fn days_of(date: &str) -> Option<i32> {
    format!("{date}T00:00:00Z").parse().ok().map(Timestamp::days)
}

/// A batch of the log's file entries, and which of its rows hold.
pub(super) struct Entries {
    batch: RecordBatch,
    selected: Vec<bool>,
}

impl Entries {
    fn new(files: FilteredEngineData) -> KernelResult<Self> {
        let (data, mut selected) = files.into_parts();
        let batch = ArrowEngineData::try_from_engine_data(data)?.record_batch().clone();
        // The kernel leaves out trailing rows that are all selected.
        selected.resize(batch.num_rows(), true);
        Ok(Self { batch, selected })
    }

    fn files(&self) -> KernelResult<Vec<DataFile>> {
        let columns = EntryColumns::of(&self.batch)?;
        let rows = self.selected.iter().enumerate().filter(|(_, selected)| **selected);
        Ok(rows.map(|(row, _)| columns.file(row)).collect())
    }

    /// The same entries with only those selected that `keep` accepts by their path.
    pub(super) fn narrowed(
        mut self,
        mut keep: impl FnMut(&str) -> bool,
    ) -> KernelResult<FilteredEngineData> {
        let columns = EntryColumns::of(&self.batch)?;
        for (row, selected) in self.selected.iter_mut().enumerate() {
            *selected = *selected && keep(columns.path.value(row));
        }
        let data = Box::new(ArrowEngineData::new(self.batch));
        FilteredEngineData::try_new(data, self.selected)
    }
}

struct EntryColumns {
    path: StringArray,
    size: Int64Array,
    modified_at: Int64Array,
    statistics: StringArray,
    partitions: MapArray,
}

impl EntryColumns {
    fn of(batch: &RecordBatch) -> KernelResult<Self> {
        let column = |name: &str| {
            let missing = || KernelError::MissingColumn(name.to_owned());
            batch.column_by_name(name).ok_or_else(missing)
        };
        let text = |name: &str| {
            let wrong = || KernelError::UnexpectedColumnType(name.to_owned());
            column(name)?.as_string_opt::<i32>().cloned().ok_or_else(wrong)
        };
        let long = |name: &str| {
            let wrong = || KernelError::UnexpectedColumnType(name.to_owned());
            column(name)?.as_primitive_opt::<Int64Type>().cloned().ok_or_else(wrong)
        };
        let constants = column("fileConstantValues")?.as_struct_opt();
        let partitions = constants.and_then(|values| values.column_by_name("partitionValues"));
        let partitions = partitions.and_then(|values| values.as_map_opt()).cloned();
        let wrong = || KernelError::UnexpectedColumnType("partitionValues".to_owned());
        Ok(Self {
            path: text("path")?,
            size: long("size")?,
            modified_at: long("modificationTime")?,
            statistics: text("stats")?,
            partitions: partitions.ok_or_else(wrong)?,
        })
    }

    fn file(&self, row: usize) -> DataFile {
        let statistics = self.statistics.is_valid(row).then(|| self.statistics.value(row));
        DataFile {
            path: self.path.value(row).to_owned(),
            size: u64::try_from(self.size.value(row)).unwrap_or_default(),
            modified_at: self.modified_at.value(row),
            date: self.date(row),
            records: statistics.and_then(records),
            statistics: statistics.map(str::to_owned),
        }
    }

    fn date(&self, row: usize) -> Option<String> {
        let entries = self.partitions.is_valid(row).then(|| self.partitions.value(row))?;
        let keys = entries.column(0).as_string_opt::<i32>()?;
        let values = entries.column(1).as_string_opt::<i32>()?;
        let place = keys.iter().position(|key| key == Some(DATE))?;
        values.is_valid(place).then(|| values.value(place).to_owned())
    }
}

pub(super) fn records(statistics: &str) -> Option<u64> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Records {
        num_records: Option<u64>,
    }
    serde_json::from_str::<Records>(statistics).ok()?.num_records
}

/// The log's entries of a version's files.
pub(super) fn entries(
    snapshot: &SnapshotRef,
    engine: &dyn Engine,
) -> KernelResult<impl Iterator<Item = KernelResult<Entries>>> {
    let scan = snapshot.clone().scan_builder().build()?;
    let metadata: Vec<_> = scan.scan_metadata(engine)?.collect();
    Ok(metadata.into_iter().map(|metadata| Entries::new(metadata?.scan_files)))
}

/// The files of a version.
pub(super) fn list(snapshot: &SnapshotRef, engine: &dyn Engine) -> KernelResult<Vec<DataFile>> {
    let mut files = Vec::new();
    for entries in entries(snapshot, engine)? {
        files.extend(entries?.files()?);
    }
    Ok(files)
}
