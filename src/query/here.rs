//! Questions in this process: a session for each, over the newest version of the tables it names.
//!
//! Sessions share memory, spill space and the footers of files.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::sql::parser::Statement;
use url::Url;

use super::catalogue::Catalogue;
use super::config::QueryConfig;
use super::error::QueryError;
use super::request::{Described, Dialect, SqlRequest};
use super::rows::Rows;
use super::scan::LakeTable;
use super::views::viewed;
use super::{catalogue, describe, postgres_sql, session, statement};
use crate::lake::{Lake, Snapshot, TableName};

/// Under this address the sessions know the lake's store.
pub(super) const STORE_URL: &str = "lake://tables/";
/// What is kept of the footers of files that were read, so that they are not read again.
const FOOTERS_BYTES_MAX: usize = 128 << 20;

/// Questions in this process.
#[derive(Debug)]
pub(super) struct Here {
    lake: Arc<Lake>,
    /// What the sessions of all questions have in common.
    common: SessionState,
    threads: usize,
    /// The columns of each of the lake's tables.
    columns: Vec<SchemaRef>,
    /// Read when the first client of PostgreSQL's asks.
    catalogue: OnceLock<Catalogue>,
}

impl Here {
    /// Over a lake; what does not fit into memory goes to `spill`, or to the system's own place.
    /// `is_alone`: the process answers one question at a time, and does nothing else.
    ///
    /// # Errors
    /// [`QueryError::Internal`] when there is no directory to spill to.
    pub(super) fn new(
        lake: Arc<Lake>,
        config: &QueryConfig,
        spill: Option<&Path>,
        is_alone: bool,
    ) -> Result<Self, QueryError> {
        let internal = |why: DataFusionError| QueryError::Internal(why.strip_backtrace());
        let mut builder = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(config.memory.0)))
            .with_metadata_cache_limit(FOOTERS_BYTES_MAX)
            .with_max_temp_directory_size(
                u64::try_from(config.spill_bytes_max.0).unwrap_or(u64::MAX),
            );
        if let Some(spill) = spill {
            builder = builder.with_temp_file_path(spill);
        }
        let runtime = builder.build_arc().map_err(internal)?;
        let url = Url::parse(STORE_URL).map_err(|why| QueryError::Internal(why.to_string()))?;
        runtime.register_object_store(&url, lake.object_store());
        let threads = config.threads;
        let common = session::common(runtime, (threads, is_alone));
        let tables = lake.tables().iter();
        let columns = tables.map(|table| viewed(&table.spec().table_schema())).collect();
        let catalogue = OnceLock::new();
        Ok(Self { lake, common, threads, columns, catalogue })
    }

    /// A worker's: the only question of its process.
    ///
    /// # Errors
    /// As [`Here::new`].
    pub(super) fn for_worker(
        lake: Arc<Lake>,
        config: &QueryConfig,
        spill: &Path,
    ) -> Result<Self, QueryError> {
        Self::new(lake, config, Some(spill), true)
    }

    /// The lake's root.
    pub(super) fn root(&self) -> String {
        self.lake.root().to_string()
    }

    /// Begins an answer of so many rows, and one more.
    ///
    /// # Errors
    /// [`QueryError`].
    pub(super) async fn start(
        &self,
        request: &SqlRequest,
        rows: usize,
    ) -> Result<Rows, QueryError> {
        let (session, versions, statement) = self.open(request).await?;
        let plan = planned(&session, statement).await?;
        let frame = bound(&session, plan, request, rows).await?;
        let tells = request.scope.is_all();
        let stream = frame.execute_stream().await;
        let stream = stream.map_err(|why| QueryError::running(&why, tells))?;
        Ok(Rows::of(versions, stream, tells))
    }

    /// Says what an answer would be like.
    ///
    /// # Errors
    /// [`QueryError`].
    pub(super) async fn describe(&self, request: &SqlRequest) -> Result<Described, QueryError> {
        let (session, _, statement) = self.open(request).await?;
        describe::describe(&session, planned(&session, statement).await?, &request.parameters)
    }

    /// A session for a statement, with what it may see, and the versions that it would read.
    async fn open(
        &self,
        request: &SqlRequest,
    ) -> Result<(SessionContext, Vec<(TableName, u64)>, Statement), QueryError> {
        let statement = statement::read_only(&request.sql, request.dialect, &request.scope)?;
        let session = session::open(&self.common, &request.scope);
        let versions = self.show_tables(&session, &statement, request).await?;
        if request.dialect == Dialect::PostgreSql {
            // It takes longer than many a question.
            if postgres_sql::asks_the_catalogue(&request.sql) {
                self.catalogue()?.show(&session).await?;
            }
            catalogue::show_functions(&session);
        }
        Ok((session, versions, statement))
    }

    fn catalogue(&self) -> Result<&Catalogue, QueryError> {
        if let Some(read) = self.catalogue.get() {
            return Ok(read);
        }
        let read = Catalogue::read()?;
        Ok(self.catalogue.get_or_init(|| read))
    }

    /// Puts the tables that the scope sees into the session, those that the statement names in the
    /// version that the request names, or their newest one; returns these versions.
    async fn show_tables(
        &self,
        session: &SessionContext,
        statement: &Statement,
        request: &SqlRequest,
    ) -> Result<Vec<(TableName, u64)>, QueryError> {
        let scope = &request.scope;
        let named = session.state().resolve_table_references(statement);
        let named = named.map_err(|why| QueryError::planning(&why))?;
        let mut versions = Vec::new();
        for (table, columns) in self.lake.tables().iter().zip(&self.columns) {
            let name = table.name();
            if !LakeTable::is_visible(name, scope) {
                continue;
            }
            let is_named = named.iter().any(|reference| reference.table() == name.name());
            let snapshot = if is_named {
                let wanted = request.versions.iter().find(|(table, _)| *table == name);
                let read = self.read(name, wanted.map(|(_, version)| *version)).await?;
                versions.push((name, read.version()));
                read
            } else {
                // One that must not be used is not there for those who do not ask for it.
                let Ok(known) = table.snapshot() else { continue };
                known
            };
            let threads = self.threads;
            let table = (table.clone(), Arc::clone(columns));
            let provider = LakeTable::new(table, snapshot, scope.clone(), threads);
            let shown = session.register_table(name.name(), Arc::new(provider));
            shown.map_err(|why| QueryError::Internal(why.strip_backtrace()))?;
        }
        Ok(versions)
    }

    /// A version of a table, or its newest one.
    async fn read(&self, table: TableName, version: Option<u64>) -> Result<Snapshot, QueryError> {
        let newest = self.lake.table(table).refresh().await;
        let newest = newest.map_err(|why| QueryError::Unavailable(why.to_string()))?;
        let Some(version) = version.filter(|version| *version != newest.version()) else {
            return Ok(newest);
        };
        let gone = || {
            let name = table.name();
            let why = "is not there, or not kept any more: ask for the newest one";
            QueryError::UnknownName(format!("version {version} of `{name}` {why}"))
        };
        if version > newest.version() {
            return Err(gone());
        }
        self.lake.table(table).at(version).await.map_err(|why| {
            tracing::debug!(error = %why, "an earlier version of a table cannot be read");
            gone()
        })
    }
}

/// Plans a statement that reads.
async fn planned(
    session: &SessionContext,
    statement: Statement,
) -> Result<LogicalPlan, QueryError> {
    let invalid = |why: DataFusionError| QueryError::planning(&why);
    let plan = session.state().statement_to_plan(statement).await.map_err(invalid)?;
    let reads = SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
        .verify_plan(&plan);
    reads.map_err(|_| QueryError::NotReadOnly("this statement".to_owned()))?;
    Ok(plan)
}

/// A plan with its parameters bound; one row more than allowed tells of more.
async fn bound(
    session: &SessionContext,
    plan: LogicalPlan,
    request: &SqlRequest,
    rows: usize,
) -> Result<DataFrame, QueryError> {
    let invalid = |why: DataFusionError| QueryError::planning(&why);
    let is_query = !matches!(
        plan,
        LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::DescribeTable(_)
    );
    let frame = session.execute_logical_plan(plan).await.map_err(invalid)?;
    let frame = frame.with_param_values(request.parameters.clone()).map_err(invalid)?;
    if !is_query {
        return Ok(frame);
    }
    frame.limit(request.offset, Some(rows.saturating_add(1))).map_err(invalid)
}
