//! Data files: rows become Parquet, durable before any commit names them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use delta_kernel::committer::FileSystemCommitter;
use delta_kernel::engine::arrow_conversion::TryFromArrow;
use delta_kernel::engine::arrow_data::ArrowEngineData;
use delta_kernel::expressions::Scalar;
use delta_kernel::schema::StructType;
use delta_kernel::transaction::{BoundWriteContext, UpdateTableOperation, WriteState};
use delta_kernel::{FileMeta, KernelResult};
use delta_kernel_default_engine::build_add_file_metadata;
use delta_kernel_default_engine::parquet::DataFileMetadata;
use delta_kernel_default_engine::stats::FileStatsAccumulator;
use object_store::{ObjectStoreExt, PutPayload};
use url::Url;

use super::create::ENGINE_INFO;
use super::error::LakeError;
use super::parquet_file::{self, Purpose};
use super::rows::Batch;
use super::snapshot::blocking;
use super::table::{Table, path_of};
use super::tables::DATE;

/// A data file that is written and durable, but not yet named by any commit.
#[derive(Debug, Clone)]
pub struct StagedFile {
    /// The path below the table's root, as the log will have it.
    pub path: String,
    /// The partition: days since the epoch.
    pub date: Option<i32>,
    /// How many rows it has.
    pub rows: usize,
    /// Its size.
    pub bytes: u64,
    /// The table's newest known version when it was written: no older commit can name it.
    pub(super) staged_at: u64,
    /// The log's entry, without the part that the commit adds.
    pub(super) entry: RecordBatch,
}

impl Table {
    /// Writes a data file for each batch and returns once all are durable.
    ///
    /// # Errors
    /// [`LakeError::NoSpace`]: nothing of it is kept, write it again later.
    pub async fn write(&self, batches: Vec<Batch>) -> Result<Vec<StagedFile>, LakeError> {
        let write = batches.into_iter().map(|batch| self.stage(batch, Purpose::Ingest));
        futures::future::try_join_all(write).await
    }

    /// Deletes files that no commit will name; one that cannot be deleted is left to the vacuum.
    pub async fn discard(&self, files: &[StagedFile]) {
        for file in files {
            let path = self.root().join(&file.path).ok().and_then(|url| path_of(&url).ok());
            if let Some(path) = path
                && let Err(error) = self.object_store().delete(&path).await
            {
                tracing::debug!(%path, %error, "a discarded file was left to the vacuum");
            }
        }
    }

    pub(super) async fn stage(
        &self,
        batch: Batch,
        purpose: Purpose,
    ) -> Result<StagedFile, LakeError> {
        let what = || format!("writing a file of `{}`", self.name().name());
        let staged_at = self.version();
        let encode = {
            let (spec, rows) = (self.spec().clone(), batch.rows.clone());
            blocking(what(), move || parquet_file::encode(&spec, &rows, purpose)).await?
        };
        let bytes = encode.map_err(|why| LakeError::internal(what(), why))?;
        let size = bytes.len() as u64;
        let (table, rows, date) = (self.clone(), batch.rows.clone(), batch.date);
        let modified_at = self.now().millis();
        let entry = blocking(what(), move || {
            let context = table.write_context(date)?;
            let url = new_file(&context)?;
            let meta = FileMeta::new(url.clone(), modified_at, size);
            let entry = log_entry(meta, &rows, &context)?;
            let path = context.resolve_file_path(&url)?;
            KernelResult::Ok((url, path, entry))
        });
        let (url, path, entry) =
            entry.await?.map_err(|error| LakeError::from_kernel(what(), error))?;
        let payload = PutPayload::from(bytes);
        let put = self.object_store().put(&path_of(&url)?, payload).await;
        put.map_err(|error| LakeError::from_store(what(), error))?;
        Ok(StagedFile { path, date, rows: batch.rows.num_rows(), bytes: size, staged_at, entry })
    }

    fn write_context(&self, date: Option<i32>) -> KernelResult<BoundWriteContext> {
        let snapshot = self.snapshot();
        let builder = snapshot.kernel().clone().update_table(
            UpdateTableOperation::StreamingUpdate,
            ENGINE_INFO,
            true,
        );
        let transaction =
            builder.build(self.engine().as_ref(), Box::new(FileSystemCommitter::new()))?;
        let state: Arc<WriteState> = transaction.write_state()?;
        let values = date.map(|days| (DATE.to_owned(), Scalar::Date(days)));
        let values: HashMap<String, Scalar> = values.into_iter().collect();
        let builder = state.write_context_builder();
        if values.is_empty() {
            builder.build()
        } else {
            builder.with_partition_values(values).build()
        }
    }
}

fn new_file(context: &BoundWriteContext) -> KernelResult<Url> {
    let name = format!("{}.parquet", uuid::Uuid::new_v4());
    Ok(context.write_dir().join(&name)?)
}

fn log_entry(
    meta: FileMeta,
    rows: &RecordBatch,
    context: &BoundWriteContext,
) -> KernelResult<RecordBatch> {
    let schema = StructType::try_from_arrow(rows.schema())?;
    let mut statistics = FileStatsAccumulator::new(context.stats_columns(), &schema);
    statistics.merge(rows)?;
    let statistics = statistics
        .finish()?
        .ok_or_else(|| delta_kernel::KernelError::generic("a file without statistics"))?;
    let entry = build_add_file_metadata(DataFileMetadata::new(meta, statistics), context)?;
    Ok(ArrowEngineData::try_from_engine_data(entry)?.record_batch().clone())
}
