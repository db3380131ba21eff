//! How rows are laid out in Parquet.
//!
//! zstd level 1; dictionaries where few values repeat, deltas for times, offsets and ids, neither for
//! hashes and raw usage. Merged files also get page statistics, and a bloom filter on the event id.

use arrow::array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::column::{ColumnInfo, Kind, Layout};
use super::create::ENGINE_INFO;
use super::tables::TableSpec;

/// The most rows in a row group.
const ROW_GROUP_ROWS: usize = 256 * 1_024;

/// What a file is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Fresh rows in the order they came: soon merged.
    Ingest,
    /// Merged rows, sorted: kept.
    Keep,
}

/// The rows as one Parquet file.
pub(super) fn encode(
    spec: &TableSpec,
    rows: &RecordBatch,
    purpose: Purpose,
) -> Result<Vec<u8>, ParquetError> {
    let options = ArrowWriterOptions::new()
        .with_properties(properties(spec, purpose)?)
        .with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(Vec::new(), rows.schema(), options)?;
    writer.write(rows)?;
    writer.into_inner()
}

fn properties(spec: &TableSpec, purpose: Purpose) -> Result<WriterProperties, ParquetError> {
    let builder = WriterProperties::builder()
        .set_created_by(ENGINE_INFO.to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(match purpose {
            // Nearly a hundred columns of page indexes would outweigh a second's rows.
            Purpose::Ingest => EnabledStatistics::Chunk,
            Purpose::Keep => EnabledStatistics::Page,
        })
        .set_offset_index_disabled(purpose == Purpose::Ingest);
    let builder = spec.columns.iter().fold(builder, laid_out);
    let bloom = purpose == Purpose::Keep;
    let event_id = spec.columns.iter().find(|column| column.name == "event_id");
    Ok(match event_id {
        Some(column) if bloom => {
            let path = ColumnPath::from(column.name);
            builder.set_column_bloom_filter_enabled(path, true).build()
        }
        _ => builder.build(),
    })
}

fn laid_out(builder: WriterPropertiesBuilder, column: &ColumnInfo) -> WriterPropertiesBuilder {
    let path = ColumnPath::from(column.name);
    let text = matches!(column.kind, Kind::Text);
    match column.layout {
        Layout::Dictionary => builder,
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
