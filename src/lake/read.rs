//! Data files read back: whole, or some of their columns.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{RecordBatch, new_null_array};
use arrow::datatypes::{Schema, SchemaRef};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::error::LakeError;
use super::files::DataFile;
use super::table::Table;

/// Rows that are decoded at a time.
const BATCH_ROWS: usize = 8_192;

impl Table {
    /// The rows of a data file; `columns` names those to read, `None` reads all.
    ///
    /// # Errors
    /// [`LakeError::Damaged`] naming the file when it is no Parquet file of this table,
    /// [`LakeError::Retryable`] when it cannot be fetched.
    pub async fn read(
        &self,
        file: &DataFile,
        columns: Option<&[&str]>,
    ) -> std::result::Result<Vec<RecordBatch>, LakeError> {
        let reader = ObjectReader {
            store: self.object_store(),
            path: self.location(file)?,
            size: file.size,
        };
        let schema = self.spec().file_schema();
        read_all(reader, schema, columns).await.map_err(|error| self.sort_read_error(file, error))
    }

    fn sort_read_error(&self, file: &DataFile, error: ParquetError) -> LakeError {
        let table = self.name().name();
        let why = match error {
            ParquetError::External(source) => match source.downcast::<object_store::Error>() {
                Ok(error) => {
                    let what = format!("reading `{}` of `{table}`", file.path);
                    return LakeError::from_store(what, *error);
                }
                Err(source) => source.to_string(),
            },
            other => other.to_string(),
        };
        LakeError::Damaged { table: table.to_owned(), file: file.path.clone(), why }
    }
}

async fn read_all(
    mut reader: ObjectReader,
    schema: SchemaRef,
    columns: Option<&[&str]>,
) -> Result<Vec<RecordBatch>> {
    let metadata = reader.get_metadata(None).await?;
    let in_file = metadata.file_metadata().schema_descr().root_schema().get_fields();
    let in_file: HashSet<&str> = in_file.iter().map(|field| field.name()).collect();
    // Our own files carry no Arrow schema: the table's is the one that holds. A file of an older
    // release has not all of its columns.
    let (has, lacks): (Vec<_>, Vec<_>) =
        schema.fields().iter().cloned().partition(|field| in_file.contains(field.name().as_str()));
    let options = ArrowReaderOptions::new().with_schema(Arc::new(Schema::new(has)));
    let metadata = ArrowReaderMetadata::try_new(metadata.clone(), options)?;
    let builder = ParquetRecordBatchStreamBuilder::new_with_metadata(reader, metadata);
    let wanted = |name: &str| columns.is_none_or(|columns| columns.contains(&name));
    let leaves = schema.fields().iter().map(|field| field.name().as_str());
    let mask =
        ProjectionMask::columns(builder.parquet_schema(), leaves.filter(|name| wanted(name)));
    let stream = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build()?;
    let batches: Vec<RecordBatch> = stream.try_collect().await?;
    if !lacks.iter().any(|field| wanted(field.name())) {
        return Ok(batches);
    }
    let wanted = schema.fields().iter().filter(|field| wanted(field.name())).cloned();
    let wanted = Arc::new(Schema::new(wanted.collect::<Vec<_>>()));
    batches.iter().map(|batch| widened(batch, &wanted)).collect()
}

/// The batch with NULL in the columns that it lacks.
fn widened(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
        Some(column) => Arc::clone(column),
        None => new_null_array(field.data_type(), batch.num_rows()),
    });
    Ok(RecordBatch::try_new(Arc::clone(schema), columns.collect())?)
}

/// Reads ranges of one object.
struct ObjectReader {
    store: Arc<dyn ObjectStore>,
    path: Path,
    size: u64,
}

fn external(error: object_store::Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

impl AsyncFileReader for ObjectReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        self.store.get_range(&self.path, range).map_err(external).boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>>> {
        async move { self.store.get_ranges(&self.path, &ranges).await.map_err(external) }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>>> {
        async move {
            let size = self.size;
            let reader = ParquetMetaDataReader::new().with_arrow_reader_options(options);
            reader.load_and_finish(self, size).await.map(Arc::new)
        }
        .boxed()
    }
}
