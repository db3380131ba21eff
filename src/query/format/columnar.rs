//! Answers with their types kept: an Arrow IPC stream, a Parquet file.
//!
//! Decimals stay decimals, times stay times; both end up in memory, within the limit of an answer.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow_ipc::writer::StreamWriter;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

/// An Arrow IPC stream.
pub(super) fn arrow(
    schema: &SchemaRef,
    batches: &[RecordBatch],
) -> Result<Vec<Vec<u8>>, ArrowError> {
    let mut stream = StreamWriter::try_new(Vec::new(), schema)?;
    for batch in batches {
        stream.write(batch)?;
    }
    Ok(vec![stream.into_inner()?])
}

/// A Parquet file.
pub(super) fn parquet(
    schema: &SchemaRef,
    batches: &[RecordBatch],
) -> Result<Vec<Vec<u8>>, ArrowError> {
    let compression = Compression::ZSTD(ZstdLevel::default());
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut file = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties))?;
    for batch in batches {
        file.write(batch)?;
    }
    Ok(vec![file.into_inner()?])
}
