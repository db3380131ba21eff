//! How rows are laid out in Parquet.
//!
//! Dictionaries where few values repeat; deltas for times, offsets, ids and amounts; neither for
//! hashes and raw usage. What these leave large is compressed, zstd level 1; numbers and names are
//! not: it would make a file a few percent smaller, and cost every question over them. Merged files
//! also get page statistics, and a bloom filter on the event id.

use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::column::{ColumnInfo, Kind, Layout};
use super::create::ENGINE_INFO;
use super::tables::TableSpec;

/// The most rows in a row group; in tests a few rows make several.
const ROW_GROUP_ROWS: usize = if cfg!(test) { 256 } else { 128 * 1_024 };

/// The same in a file that will be merged again: a merge holds a row group of each input in memory.
const INTERIM_ROW_GROUP_ROWS: usize = ROW_GROUP_ROWS / 4;

/// The most rows in a page of a merged file: one tenant's or one hour's are found by pages.
const PAGE_ROWS: usize = 4_096;

/// How often a merged file is read in vain for an event that it does not have.
const WRONG_SHARE: f64 = 0.01;

/// What a file is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Fresh rows, sorted: soon merged.
    Ingest,
    /// Rows in the order they come: soon merged.
    Unsorted,
    /// Merged rows, sorted: merged again with others of like size.
    Interim,
    /// Merged rows, sorted: kept.
    Keep,
}

/// A writer into memory; what it wrote may be taken out between two batches.
pub(super) fn writer(
    spec: &TableSpec,
    purpose: Purpose,
) -> Result<ArrowWriter<Vec<u8>>, ParquetError> {
    let options = ArrowWriterOptions::new()
        .with_properties(properties(spec, purpose)?)
        .with_skip_arrow_metadata(true);
    ArrowWriter::try_new_with_options(Vec::new(), spec.file_schema(), options)
}

fn properties(spec: &TableSpec, purpose: Purpose) -> Result<WriterProperties, ParquetError> {
    let builder = WriterProperties::builder()
        .set_created_by(ENGINE_INFO.to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(match purpose {
            Purpose::Interim => INTERIM_ROW_GROUP_ROWS,
            Purpose::Ingest | Purpose::Unsorted | Purpose::Keep => ROW_GROUP_ROWS,
        }));
    let builder = spec.columns.iter().fold(builder, laid_out);
    let builder = match purpose {
        Purpose::Ingest => small(builder).set_sorting_columns(sorting_columns(spec)),
        Purpose::Unsorted => small(builder),
        Purpose::Interim | Purpose::Keep => {
            kept(builder, spec).set_sorting_columns(sorting_columns(spec))
        }
    };
    Ok(builder.build())
}

/// Nearly a hundred columns of page indexes would outweigh a second's rows.
fn small(builder: WriterPropertiesBuilder) -> WriterPropertiesBuilder {
    builder.set_statistics_enabled(EnabledStatistics::Chunk).set_offset_index_disabled(true)
}

fn kept(builder: WriterPropertiesBuilder, spec: &TableSpec) -> WriterPropertiesBuilder {
    let builder = builder
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_data_page_row_count_limit(PAGE_ROWS);
    match spec.columns.iter().find(|column| column.is_filtered()) {
        Some(column) => {
            let path = ColumnPath::from(column.name);
            builder
                .set_column_bloom_filter_enabled(path.clone(), true)
                .set_column_bloom_filter_fpp(path, WRONG_SHARE)
        }
        None => builder,
    }
}

/// How files say that they are sorted; `None` when the table has nothing to sort by.
pub(super) fn sorting_columns(spec: &TableSpec) -> Option<Vec<SortingColumn>> {
    let key = spec.sort_key().filter_map(|name| leaf(spec, name));
    let key =
        key.map(|column_idx| SortingColumn { column_idx, descending: false, nulls_first: true });
    Some(key.collect::<Vec<_>>()).filter(|key| !key.is_empty())
}

/// The place of a column among the leaves of the file: a map has two.
fn leaf(spec: &TableSpec, name: &str) -> Option<i32> {
    let place = spec.columns.iter().position(|column| column.name == name)?;
    let before = spec.columns.iter().take(place).map(|column| match column.kind {
        Kind::TextMap | Kind::LongMap | Kind::DecimalMap => 2,
        _ => 1,
    });
    Some(before.sum())
}

fn laid_out(builder: WriterPropertiesBuilder, column: &ColumnInfo) -> WriterPropertiesBuilder {
    let path = ColumnPath::from(column.name);
    let text = matches!(column.kind, Kind::Text);
    let builder = if is_compressed(column) {
        builder
    } else {
        builder.set_column_compression(path.clone(), Compression::UNCOMPRESSED)
    };
    match column.layout {
        Layout::Dictionary | Layout::LargeDictionary => builder,
        Layout::Delta => {
            let encoding =
                if text { Encoding::DELTA_BYTE_ARRAY } else { Encoding::DELTA_BINARY_PACKED };
            builder
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, encoding)
        }
        Layout::Plain => builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path.clone(), Encoding::PLAIN)
            .set_column_statistics_enabled(path, EnabledStatistics::None),
    }
}

/// Whether compressing a column's pages saves more than it costs.
fn is_compressed(column: &ColumnInfo) -> bool {
    match (column.kind, column.layout) {
        (Kind::TextMap | Kind::LongMap | Kind::DecimalMap, _)
        | (_, Layout::Plain | Layout::LargeDictionary) => true,
        (kind, Layout::Delta) => matches!(kind, Kind::Text),
        (_, Layout::Dictionary) => false,
    }
}
