//! The plan that reads a list of data files.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::scalar::ScalarValue;
use parquet::arrow::ArrowSchemaConverter;

use super::footers::Footers;
use super::prune::days;
use crate::lake::{DATE, DataFile, Table};
use crate::query::here::STORE_URL;
use crate::query::views::viewed;

/// Read from the end of a file at once: its footer and its page indexes, as a rule.
const FOOTER_BYTES: usize = 128 << 10;

/// What is wanted of the files.
pub(super) struct Wanted<'a> {
    /// Columns by their place; all, where there are none.
    pub(super) projection: Option<&'a Vec<usize>>,
    /// The most rows.
    pub(super) limit: Option<usize>,
    /// Only these rows, by an expression over the table's columns.
    pub(super) rows: Option<Arc<dyn PhysicalExpr>>,
}

/// Reads files, a part of them in each of so many partitions.
pub(super) fn read(
    table: &Table,
    files: Vec<&DataFile>,
    wanted: Wanted<'_>,
    (threads, state): (usize, &dyn Session),
) -> Result<Arc<dyn ExecutionPlan>> {
    let footers = Footers::of(state)?;
    let columns = viewed(&table.spec().file_schema());
    let usual = ArrowSchemaConverter::new().convert(&columns)?;
    let partitions = files.iter().map(|file| {
        let mut read = partitioned(table, file)?;
        // Otherwise the reader derives a file's columns, and once more with texts as views.
        if footers.has(&usual, &read.object_meta.location) {
            read.arrow_schema = Some(Arc::clone(&columns));
        }
        Ok(read)
    });
    let group = FileGroup::new(partitions.collect::<Result<Vec<_>>>()?);
    let groups = group.split_files(threads);
    let source = ParquetSource::new(schema(table, &columns))
        .with_table_parquet_options(state.table_options().parquet.clone())
        .with_parquet_file_reader_factory(Arc::new(footers));
    let source = match wanted.rows {
        Some(rows) => source.with_predicate(rows).with_pushdown_filters(true),
        None => source,
    };
    let statistics = statistics(table, &files);
    let config = FileScanConfigBuilder::new(store_url()?, Arc::new(source))
        .with_file_groups(groups)
        .with_statistics(statistics)
        .with_projection_indices(wanted.projection.cloned())?
        .with_limit(wanted.limit)
        .build();
    Ok(DataSourceExec::from_data_source(config))
}

pub(super) fn store_url() -> Result<ObjectStoreUrl> {
    ObjectStoreUrl::parse(STORE_URL)
}

fn schema(table: &Table, columns: &SchemaRef) -> TableSchema {
    let date = table.spec().dated.then(|| Arc::new(Field::new(DATE, DataType::Date32, false)));
    let partitions: Vec<FieldRef> = date.into_iter().collect();
    TableSchema::builder(Arc::clone(columns)).with_table_partition_cols(partitions).build()
}

/// A file as its reader knows it.
pub(super) fn partitioned(table: &Table, file: &DataFile) -> Result<PartitionedFile> {
    let external = |why| DataFusionError::External(Box::new(why));
    let mut read = PartitionedFile::new(String::new(), file.size);
    // The log's path is taken as it is: `new` would escape it a second time.
    read.object_meta.location = table.location(file).map_err(external)?;
    read.metadata_size_hint = Some(FOOTER_BYTES);
    if !table.spec().dated {
        return Ok(read);
    }
    let date = file.date.as_deref().and_then(days);
    Ok(read.with_partition_values(vec![ScalarValue::Date32(date)]))
}

/// The row count, where the log names every file's.
fn statistics(table: &Table, files: &[&DataFile]) -> Statistics {
    let rows = files.iter().map(|file| file.records).sum::<Option<u64>>();
    let rows = rows.and_then(|rows| usize::try_from(rows).ok());
    let rows = rows.map_or(Precision::Absent, Precision::Exact);
    Statistics::new_unknown(&table.spec().table_schema()).with_num_rows(rows)
}
