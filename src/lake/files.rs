//! The data files of a version, as the log names them.

use std::sync::{Arc, OnceLock};

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, MapArray, RecordBatch, StringArray, StructArray,
    new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, FieldRef, Int64Type, Schema};
use arrow::error::ArrowError;
use delta_kernel::engine::arrow_conversion::TryIntoArrow;
use delta_kernel::engine::arrow_data::ArrowEngineData;
use delta_kernel::scan::scan_row_schema;
use delta_kernel::{Engine, FilteredEngineData, KernelError, KernelResult, SnapshotRef};
use serde_json::{Map, Value};

use super::tables::DATE;
use crate::time::Timestamp;

/// Where a scan has what is the same in all rows of a file.
const CONSTANTS: &str = "fileConstantValues";
/// And the partition, in there.
const PARTITIONS: &str = "partitionValues";

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
    /// What the log says of its columns.
    pub statistics: Option<Arc<Statistics>>,
}

/// The log's statistics of a file, read when they are first asked for. Times are cut to
/// milliseconds, so that the latest row may be up to a millisecond after the largest one; long
/// texts are cut too.
#[derive(Debug)]
pub struct Statistics {
    text: String,
    read: OnceLock<Bounds>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Bounds {
    min_values: Map<String, Value>,
    max_values: Map<String, Value>,
}

impl Statistics {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), read: OnceLock::new() }
    }

    /// JSON of `numRecords`, `minValues`, `maxValues`, `nullCount`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The least value of a column.
    pub fn least(&self, column: &str) -> Option<&Value> {
        self.bounds().min_values.get(column)
    }

    /// The largest value of a column.
    pub fn largest(&self, column: &str) -> Option<&Value> {
        self.bounds().max_values.get(column)
    }

    /// The least time of a column. Nothing of what is read for it is kept: bounds take some tens of
    /// KiB a file.
    pub fn least_time(&self, column: &str) -> Option<Timestamp> {
        let bounds: Bounds = serde_json::from_str(&self.text).ok()?;
        bounds.min_values.get(column)?.as_str()?.parse().ok()
    }

    /// Statistics that cannot be read say nothing.
    fn bounds(&self) -> &Bounds {
        self.read.get_or_init(|| serde_json::from_str(&self.text).unwrap_or_default())
    }
}

impl PartialEq for Statistics {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Statistics {}

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
struct Entries {
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
        let constants = column(CONSTANTS)?.as_struct_opt();
        let partitions = constants.and_then(|values| values.column_by_name(PARTITIONS));
        let partitions = partitions.and_then(|values| values.as_map_opt()).cloned();
        let wrong = || KernelError::UnexpectedColumnType(PARTITIONS.to_owned());
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
            statistics: statistics.map(|text| Arc::new(Statistics::new(text))),
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

/// The files of a version, read from the whole log.
pub(super) fn list(snapshot: &SnapshotRef, engine: &dyn Engine) -> KernelResult<Vec<DataFile>> {
    let scan = snapshot.clone().scan_builder().build()?;
    let mut files = Vec::new();
    for metadata in scan.scan_metadata(engine)? {
        files.extend(Entries::new(metadata?.scan_files)?.files()?);
    }
    Ok(files)
}

/// Files as the kernel takes them to be removed: the entries of a scan, made without one, for a
/// scan reads the whole log.
pub(super) fn removal(files: &[DataFile]) -> KernelResult<FilteredEngineData> {
    let schema: Schema = scan_row_schema().as_ref().try_into_arrow()?;
    let strings = |values: fn(&DataFile) -> Option<&str>| -> ArrayRef {
        Arc::new(files.iter().map(values).collect::<StringArray>())
    };
    let longs = |value: fn(&DataFile) -> i64| -> ArrayRef {
        Arc::new(files.iter().map(value).map(Some).collect::<Int64Array>())
    };
    let column = |field: &FieldRef| {
        Ok(match field.name().as_str() {
            "path" => strings(|file| Some(&file.path)),
            "size" => longs(|file| i64::try_from(file.size).unwrap_or(i64::MAX)),
            "modificationTime" => longs(|file| file.modified_at),
            "stats" => strings(|file| file.statistics.as_deref().map(Statistics::text)),
            CONSTANTS => constants(files, field.data_type())?,
            _ => new_null_array(field.data_type(), files.len()),
        })
    };
    let columns = schema.fields().iter().map(column).collect::<Result<_, ArrowError>>()?;
    let entries = RecordBatch::try_new(Arc::new(schema), columns)?;
    Ok(FilteredEngineData::with_all_rows_selected(Box::new(ArrowEngineData::new(entries))))
}

/// What is the same in all rows of a file: its partition.
fn constants(files: &[DataFile], of: &DataType) -> Result<ArrayRef, ArrowError> {
    let DataType::Struct(fields) = of else {
        return Err(ArrowError::SchemaError(format!("`{CONSTANTS}` is {of}")));
    };
    let column = |field: &FieldRef| match field.name().as_str() {
        PARTITIONS => partitions(files, field.data_type()),
        _ => Ok(new_null_array(field.data_type(), files.len())),
    };
    let columns = fields.iter().map(column).collect::<Result<_, ArrowError>>()?;
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, None)?))
}

fn partitions(files: &[DataFile], of: &DataType) -> Result<ArrayRef, ArrowError> {
    let DataType::Map(entry, _) = of else {
        return Err(ArrowError::SchemaError(format!("`{PARTITIONS}` is {of}")));
    };
    let DataType::Struct(pair) = entry.data_type() else {
        return Err(ArrowError::SchemaError(format!("`{PARTITIONS}` is {of}")));
    };
    let dates = || files.iter().filter_map(|file| file.date.as_deref());
    let keys: ArrayRef = Arc::new(dates().map(|_| Some(DATE)).collect::<StringArray>());
    let values: ArrayRef = Arc::new(dates().map(Some).collect::<StringArray>());
    let pairs = StructArray::try_new(pair.clone(), vec![keys, values], None)?;
    let offsets = OffsetBuffer::from_lengths(files.iter().map(|f| usize::from(f.date.is_some())));
    Ok(Arc::new(MapArray::try_new(Arc::clone(entry), offsets, pairs, None, false)?))
}
