//! A table of the lake as DataFusion sees it: one version, its files pruned before they are read.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;

use crate::lake::{DATE, DataFile, Snapshot, Table};

/// One version of a table.
#[derive(Debug)]
pub(super) struct LakeTable {
    table: Table,
    files: Arc<[DataFile]>,
    store: ObjectStoreUrl,
    schema: TableSchema,
}

impl LakeTable {
    /// The table at a version; `store` is where its files are registered.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(super) async fn at(
        table: &Table,
        snapshot: &Snapshot,
        store: ObjectStoreUrl,
    ) -> std::result::Result<Self, crate::lake::LakeError> {
        let spec = table.spec();
        let dated = spec.table_schema().field_with_name(DATE).is_ok();
        let partition = Arc::new(Field::new(DATE, DataType::Date32, false));
        let partitions = if dated { vec![partition] } else { Vec::new() };
        let schema = TableSchema::new(spec.file_schema(), partitions);
        Ok(Self { table: table.clone(), files: snapshot.files().await?, store, schema })
    }

    fn partitioned(&self, file: &DataFile) -> Result<PartitionedFile> {
        let location =
            self.table.location(file).map_err(|error| DataFusionError::External(error.into()))?;
        let mut part = PartitionedFile::new(String::new(), file.size);
        part.object_meta.location = location;
        if let Some(date) = &file.date {
            let value = ScalarValue::Utf8(Some(date.clone())).cast_to(&DataType::Date32)?;
            part.partition_values = vec![value];
        }
        Ok(part)
    }

    /// How many rows there are, when the log says so of every file.
    fn rows(&self) -> Precision<usize> {
        let counts: Option<Vec<u64>> = self.files.iter().map(|file| file.records).collect();
        let sum = counts.and_then(|counts| usize::try_from(counts.iter().sum::<u64>()).ok());
        sum.map_or(Precision::Absent, Precision::Exact)
    }
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Every filter helps to leave out files, row groups and rows; none is relied on.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let parquet = state.config_options().execution.parquet.clone();
        let options = datafusion::common::config::TableParquetOptions {
            global: parquet,
            ..Default::default()
        };
        let mut source =
            ParquetSource::new(self.schema.clone()).with_table_parquet_options(options);
        if let Some(filter) = conjunction(filters.to_vec()) {
            let schema = DFSchema::try_from(self.schema())?;
            source = source.with_predicate(state.create_physical_expr(filter, &schema)?);
        }
        let files: Result<Vec<PartitionedFile>> =
            self.files.iter().map(|file| self.partitioned(file)).collect();
        let groups = FileGroup::new(files?).split_files(state.config().target_partitions().max(1));
        let mut statistics = Statistics::new_unknown(&self.schema());
        statistics.num_rows = self.rows();
        let scan = FileScanConfigBuilder::new(self.store.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }
}
