//! Writes one data file, batch by batch: a small one in one piece, a large one in parts.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use delta_kernel::committer::FileSystemCommitter;
use delta_kernel::engine::arrow_conversion::TryFromArrow;
use delta_kernel::engine::arrow_data::ArrowEngineData;
use delta_kernel::expressions::Scalar;
use delta_kernel::schema::StructType;
use delta_kernel::transaction::{BoundWriteContext, UpdateTableOperation, WriteState};
use delta_kernel::{FileMeta, KernelError, KernelResult};
use delta_kernel_default_engine::build_add_file_metadata;
use delta_kernel_default_engine::parquet::DataFileMetadata;
use delta_kernel_default_engine::stats::FileStatsAccumulator;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use url::Url;

use super::create::ENGINE_INFO;
use super::error::LakeError;
use super::parquet_file::{self, Purpose};
use super::snapshot::{Snapshot, blocking};
use super::stage::StagedFile;
use super::table::{Table, path_of};
use super::tables::DATE;
use crate::crash;

/// What is written of a large file at once: object stores want 5 MiB or more.
const PART_BYTES: usize = if cfg!(test) { 32 << 10 } else { 8 << 20 };

/// A data file that is being written.
pub struct FileWriter {
    table: Table,
    begun_on: u64,
    date: Option<i32>,
    url: Url,
    context: BoundWriteContext,
    encoder: Encoder,
    upload: Option<Box<dyn MultipartUpload>>,
    bytes: u64,
}

/// What works on rows, where it may block.
struct Encoder {
    parquet: ArrowWriter<Vec<u8>>,
    statistics: FileStatsAccumulator,
    rows: usize,
}

impl Encoder {
    fn push(mut self, batch: &RecordBatch) -> Result<Self, String> {
        self.rows += batch.num_rows();
        self.statistics.merge(batch).map_err(|error| error.to_string())?;
        self.parquet.write(batch).map_err(|error| error.to_string())?;
        Ok(self)
    }
}

impl FileWriter {
    /// A file of one partition: days since the epoch.
    ///
    /// # Errors
    /// [`LakeError::Retryable`] when the log cannot be read.
    pub async fn start(
        table: &Table,
        date: Option<i32>,
        purpose: Purpose,
    ) -> Result<Self, LakeError> {
        let what = writing(table);
        let begun_on = table.version()?;
        let opened = {
            let (table, on) = (table.clone(), table.snapshot()?);
            blocking(what.clone(), move || open(&table, &on, date, purpose)).await?
        };
        let (url, context, encoder) =
            opened.map_err(|error| LakeError::from_kernel(what, error))?;
        let (table, upload) = (table.clone(), None);
        Ok(Self { table, begun_on, date, url, context, encoder, upload, bytes: 0 })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// [`LakeError::NoSpace`] and what else a store may say; nothing of the file is kept then.
    pub async fn push(mut self, batch: RecordBatch) -> Result<Self, LakeError> {
        let what = writing(&self.table);
        let encoder = self.encoder;
        let pushed = blocking(what.clone(), move || encoder.push(&batch)).await?;
        self.encoder = pushed.map_err(|why| LakeError::internal(what, why))?;
        if self.encoder.parquet.inner().len() >= PART_BYTES {
            let part = std::mem::take(self.encoder.parquet.inner_mut());
            self.put_part(part).await?;
        }
        Ok(self)
    }

    /// Ends the file; it is durable then.
    ///
    /// # Errors
    /// As [`FileWriter::push`].
    pub async fn finish(mut self) -> Result<StagedFile, LakeError> {
        let what = writing(&self.table);
        let Encoder { parquet, statistics, rows } = self.encoder;
        let rest = blocking(what.clone(), move || parquet.into_inner()).await?;
        let rest = rest.map_err(|why: ParquetError| LakeError::internal(what.clone(), why))?;
        crash::point_in("rows.encoded", self.table.name().name());
        let bytes = self.bytes + rest.len() as u64;
        let put = match &mut self.upload {
            Some(upload) => completed(upload.as_mut(), rest).await,
            None => {
                let path = path_of(&self.url)?;
                self.table.object_store().put(&path, PutPayload::from(rest)).await
            }
        };
        put.map_err(|error| LakeError::from_store(what.clone(), error))?;
        crash::point_in("rows.durable", self.table.name().name());
        let written_at = self.table.now();
        let meta = FileMeta::new(self.url.clone(), written_at.millis(), bytes);
        let entry = log_entry(meta, statistics, &self.context);
        let entry = entry.map_err(|error| LakeError::from_kernel(what.clone(), error))?;
        let path = self.context.resolve_file_path(&self.url);
        let path = path.map_err(|error| LakeError::from_kernel(what, error))?;
        let (date, begun_on) = (self.date, self.begun_on);
        Ok(StagedFile { path, date, rows, bytes, written_at, begun_on, entry })
    }

    async fn put_part(&mut self, part: Vec<u8>) -> Result<(), LakeError> {
        let what = writing(&self.table);
        self.bytes += part.len() as u64;
        let upload = match &mut self.upload {
            Some(upload) => upload,
            None => {
                let started = self.table.object_store().put_multipart(&path_of(&self.url)?).await;
                let started =
                    started.map_err(|error| LakeError::from_store(what.clone(), error))?;
                self.upload.insert(started)
            }
        };
        let put = upload.put_part(PutPayload::from(part)).await;
        put.map_err(|error| LakeError::from_store(what, error))
    }
}

async fn completed(
    upload: &mut dyn MultipartUpload,
    rest: Vec<u8>,
) -> object_store::Result<object_store::PutResult> {
    let put = async {
        upload.put_part(PutPayload::from(rest)).await?;
        upload.complete().await
    };
    let put = put.await;
    if put.is_err() {
        // Parts that cannot be given up expire by the bucket's rules.
        let _ = upload.abort().await;
    }
    put
}

fn writing(table: &Table) -> String {
    format!("writing a file of `{}`", table.name().name())
}

fn open(
    table: &Table,
    on: &Snapshot,
    date: Option<i32>,
    purpose: Purpose,
) -> KernelResult<(Url, BoundWriteContext, Encoder)> {
    let context = write_context(table, on, date)?;
    let url = context.write_dir().join(&format!("{}.parquet", uuid::Uuid::new_v4()))?;
    let schema = StructType::try_from_arrow(table.spec().file_schema())?;
    let statistics = FileStatsAccumulator::new(context.stats_columns(), &schema);
    let parquet = parquet_file::writer(table.spec(), purpose)?;
    Ok((url, context, Encoder { parquet, statistics, rows: 0 }))
}

fn write_context(
    table: &Table,
    on: &Snapshot,
    date: Option<i32>,
) -> KernelResult<BoundWriteContext> {
    let kernel = on.kernel().clone();
    let builder = kernel.update_table(UpdateTableOperation::StreamingUpdate, ENGINE_INFO, true);
    let committer = Box::new(FileSystemCommitter::new());
    let state: Arc<WriteState> =
        builder.build(table.engine().as_ref(), committer)?.write_state()?;
    let values = date.map(|days| (DATE.to_owned(), Scalar::Date(days)));
    let values: HashMap<String, Scalar> = values.into_iter().collect();
    let builder = state.write_context_builder();
    if values.is_empty() { builder.build() } else { builder.with_partition_values(values).build() }
}

fn log_entry(
    meta: FileMeta,
    statistics: FileStatsAccumulator,
    context: &BoundWriteContext,
) -> KernelResult<RecordBatch> {
    let without = || KernelError::generic("a file without rows");
    let statistics = statistics.finish()?.ok_or_else(without)?;
    let entry = build_add_file_metadata(DataFileMetadata::new(meta, statistics), context)?;
    Ok(ArrowEngineData::try_from_engine_data(entry)?.record_batch().clone())
}
