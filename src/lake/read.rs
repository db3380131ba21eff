//! Data files read back: whole, or some of their columns.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{RecordBatch, new_null_array};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::error::LakeError;
use super::files::DataFile;
use super::parquet_file::sorting_columns;
use super::table::Table;
use super::tables::TableSpec;

/// Rows that are decoded at a time.
pub(super) const BATCH_ROWS: usize = 2_048;

/// A data file that is being read.
pub struct OpenFile {
    /// Whether it says that it is sorted as its table is.
    pub is_sorted: bool,
    /// Its rows.
    pub rows: BoxStream<'static, std::result::Result<RecordBatch, LakeError>>,
}

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
        self.open_file(file, columns).await?.rows.try_collect().await
    }

    /// The same, a batch at a time.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub async fn open_file(
        &self,
        file: &DataFile,
        columns: Option<&[&str]>,
    ) -> std::result::Result<OpenFile, LakeError> {
        self.open_in_batches(file, columns, BATCH_ROWS).await
    }

    /// The same, with the most rows of a batch.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub(super) async fn open_in_batches(
        &self,
        file: &DataFile,
        columns: Option<&[&str]>,
        rows_max: usize,
    ) -> std::result::Result<OpenFile, LakeError> {
        let reader = ObjectReader {
            store: self.object_store(),
            path: self.location(file)?,
            size: file.size,
        };
        let opened = open(reader, self.spec(), columns, rows_max).await;
        let (is_sorted, rows) = opened.map_err(|error| self.sort_read_error(file, error))?;
        let (table, file) = (self.clone(), file.clone());
        let rows = rows.map_err(move |error| table.sort_read_error(&file, error)).boxed();
        Ok(OpenFile { is_sorted, rows })
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

async fn open(
    mut reader: ObjectReader,
    spec: &TableSpec,
    columns: Option<&[&str]>,
    rows_max: usize,
) -> Result<(bool, BoxStream<'static, Result<RecordBatch>>)> {
    let metadata = reader.get_metadata(None).await?;
    let sorting = sorting_columns(spec);
    let is_sorted =
        metadata.row_groups().iter().all(|group| group.sorting_columns() == sorting.as_ref());
    let in_file = metadata.file_metadata().schema_descr().root_schema().get_fields();
    let in_file: HashSet<&str> = in_file.iter().map(|field| field.name()).collect();
    let schema = spec.file_schema();
    let is_wanted =
        |field: &&FieldRef| columns.is_none_or(|names| names.contains(&field.name().as_str()));
    let wanted: Vec<FieldRef> = schema.fields().iter().filter(is_wanted).cloned().collect();
    // Our own files carry no Arrow schema: the table's is the one that holds. A file of an older
    // release has not all of its columns.
    let is_there = |field: &&FieldRef| in_file.contains(field.name().as_str());
    let has: Vec<FieldRef> = schema.fields().iter().filter(is_there).cloned().collect();
    let lacks_some = !wanted.iter().all(|field| is_there(&field));
    let options = ArrowReaderOptions::new().with_schema(Arc::new(Schema::new(has)));
    let metadata = ArrowReaderMetadata::try_new(metadata.clone(), options)?;
    let builder = ParquetRecordBatchStreamBuilder::new_with_metadata(reader, metadata);
    let names = wanted.iter().map(|field| field.name().as_str());
    let mask = ProjectionMask::columns(builder.parquet_schema(), names);
    let rows = builder.with_projection(mask).with_batch_size(rows_max).build()?.boxed();
    if !lacks_some {
        return Ok((is_sorted, rows));
    }
    let wanted = Arc::new(Schema::new(wanted));
    Ok((is_sorted, rows.map(move |batch| widened(&batch?, &wanted)).boxed()))
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

impl ObjectReader {
    /// Why a range could not be read: a torn file is told from a store that fails.
    async fn failed(&self, error: object_store::Error) -> ParquetError {
        match self.store.head(&self.path).await {
            Ok(meta) if meta.size != self.size => {
                let (has, said) = (meta.size, self.size);
                ParquetError::General(format!("it has {has} bytes, its log entry says {said}"))
            }
            _ => ParquetError::External(Box::new(error)),
        }
    }
}

impl AsyncFileReader for ObjectReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        async move {
            match self.store.get_range(&self.path, range).await {
                Ok(bytes) => Ok(bytes),
                Err(error) => Err(self.failed(error).await),
            }
        }
        .boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>>> {
        async move {
            match self.store.get_ranges(&self.path, &ranges).await {
                Ok(bytes) => Ok(bytes),
                Err(error) => Err(self.failed(error).await),
            }
        }
        .boxed()
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
