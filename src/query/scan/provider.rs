//! One version of a table, as the query engine reads it.
//!
//! A scope that does not see every row is applied inside the scan, before any expression of the
//! statement: see [`super::fence`].

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::DFSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType, col, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use super::footers::Footers;
use super::look_up::{self, LookUp};
use super::plan::{self, Wanted};
use super::{bloom, canonical, fence, prune};
use crate::attribution::UNATTRIBUTED;
use crate::lake::{DataFile, Snapshot, Table, TableName};
use crate::query::request::Scope;

const TENANT: &str = "tenant";

/// One version of a table, in a scope.
#[derive(Debug)]
pub(in crate::query) struct LakeTable {
    table: Table,
    snapshot: Snapshot,
    schema: SchemaRef,
    scope: Scope,
    threads: usize,
}

impl LakeTable {
    /// A version of a table and its columns, in a scope, read by so many threads at once.
    pub(in crate::query) fn new(
        (table, schema): (Table, SchemaRef),
        snapshot: Snapshot,
        scope: Scope,
        threads: usize,
    ) -> Self {
        Self { table, snapshot, schema, scope, threads: threads.max(1) }
    }

    /// Whether a scope sees this table at all.
    pub(in crate::query) fn is_visible(table: TableName, scope: &Scope) -> bool {
        scope.is_all() || !matches!(table, TableName::Control | TableName::DayCloses)
    }

    /// The scope's own condition; `None` where it sees every row.
    fn condition(&self) -> Option<Expr> {
        let Scope::Tenants(tenants) = &self.scope else { return None };
        // What nobody is named for may be anybody's: it is for administrators.
        let named = tenants.iter().filter(|tenant| *tenant != UNATTRIBUTED);
        let list: Vec<Expr> = named.map(|tenant| lit(tenant.as_str())).collect();
        let own = if list.is_empty() { lit(false) } else { col(TENANT).in_list(list, false) };
        // A price row without a tenant is a list price: everyone's.
        let is_list = self.table.name() == TableName::Prices;
        Some(if is_list { own.or(col(TENANT).is_null()) } else { own })
    }

    async fn scan_files(
        &self,
        state: &dyn Session,
        filters: &[Expr],
        wanted: Wanted<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = self.files().await?;
        let files = prune::prune(&files, &self.schema, filters, state)?;
        self.plan(files, wanted, state)
    }

    async fn files(&self) -> Result<Arc<[DataFile]>> {
        let files = self.snapshot.files().await;
        files.map_err(|why| DataFusionError::External(Box::new(why)))
    }

    fn plan(
        &self,
        files: Vec<&DataFile>,
        wanted: Wanted<'_>,
        state: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if files.is_empty() {
            let schema = match wanted.projection {
                Some(columns) => Arc::new(self.schema.project(columns)?),
                None => Arc::clone(&self.schema),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        plan::read(&self.table, files, wanted, (self.threads, state))
    }

    /// The rows with a wanted identifier. What is above filters again: nothing is taken from it.
    async fn scan_looking_up(
        &self,
        LookUp { condition, wanted }: LookUp<'_>,
        state: &dyn Session,
        filters: &[Expr],
        projection: Option<&Vec<usize>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = self.files().await?;
        let files = prune::prune(&files, &self.schema, filters, state)?;
        let asked = files.iter().map(|file| plan::partitioned(&self.table, file));
        let asked = asked.collect::<Result<Vec<_>>>()?;
        let can_have = bloom::can_have(&Footers::of(state)?, asked, &wanted).await;
        let files = files.into_iter().zip(can_have).filter_map(|(file, can)| can.then_some(file));
        let schema = DFSchema::try_from(Arc::clone(&self.schema))?;
        let rows = Some(state.create_physical_expr(condition, &schema)?);
        let found = self.plan(files.collect(), Wanted { projection, rows, limit: None }, state)?;
        Ok(Arc::new(fence::Fence::new(found)))
    }

    async fn scan_fenced(
        &self,
        condition: Expr,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all: Vec<usize> = (0..self.schema.fields().len()).collect();
        let wanted = projection.cloned().unwrap_or(all);
        let tenant = self.schema.index_of(TENANT)?;
        let mut sorted_by = wanted.clone();
        sorted_by.extend(canonical::keys_beside(&self.schema, &wanted));
        let mut read = sorted_by.clone();
        if !read.contains(&tenant) {
            read.push(tenant);
        }
        let filters = [condition.clone()];
        let schema = DFSchema::try_from(Arc::clone(&self.schema))?;
        // What is filtered while reading saves pages of other tenants; it is filtered again.
        let rows = Some(state.create_physical_expr(condition.clone(), &schema)?);
        let read = Wanted { projection: Some(&read), rows, limit: None };
        let input = self.scan_files(state, &filters, read).await?;
        let filtered = fence::filter(input, condition, state)?;
        let sorted = canonical::sorted(fence::first_columns(filtered, sorted_by.len())?);
        let kept = fence::first_columns(sorted, wanted.len())?;
        Ok(Arc::new(fence::Fence::new(kept)))
    }
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if let Some(condition) = self.condition() {
            return self.scan_fenced(condition, state, projection).await;
        }
        if let Some(look_up) = look_up::look_up(self.table.spec(), filters) {
            return self.scan_looking_up(look_up, state, filters, projection).await;
        }
        self.scan_files(state, filters, Wanted { projection, limit, rows: None }).await
    }

    /// Filters prune files and row groups, and are applied again above the scan; below a fence they
    /// are nothing.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = match self.scope {
            Scope::All => TableProviderFilterPushDown::Inexact,
            Scope::Tenants(_) => TableProviderFilterPushDown::Unsupported,
        };
        Ok(vec![support; filters.len()])
    }
}
