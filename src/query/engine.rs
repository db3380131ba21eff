//! From a question to an answer: parse, allow, snapshot, plan, run.
//!
//! Every question gets the newest version of the tables that it names, a session of its own, and
//! ends at its deadline. Sessions share memory, spill space and the metadata of files.

use std::sync::Arc;

use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::sql::parser::Statement;
use tokio::time::Instant;
use url::Url;

use super::answer::{Allowance, Answer};
use super::config::QueryConfig;
use super::error::QueryError;
use super::request::{Scope, SqlRequest};
use super::scan::LakeTable;
use super::{session, statement};
use crate::lake::{Lake, Snapshot, TableName};

/// Under this address the sessions know the lake's store.
pub(super) const STORE_URL: &str = "lake://tables/";

/// Answers questions over a lake. Cheap to clone.
#[derive(Debug, Clone)]
pub struct QueryEngine {
    lake: Arc<Lake>,
    config: Arc<QueryConfig>,
    runtime: Arc<RuntimeEnv>,
}

impl QueryEngine {
    /// An engine over a lake.
    ///
    /// # Errors
    /// [`QueryError::Internal`] when there is no directory to spill to.
    pub fn new(lake: Arc<Lake>, config: QueryConfig) -> Result<Self, QueryError> {
        let internal = |why: DataFusionError| QueryError::Internal(why.strip_backtrace());
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(config.memory.0)))
            .with_max_temp_directory_size(
                u64::try_from(config.spill_bytes_max.0).unwrap_or(u64::MAX),
            )
            .build_arc()
            .map_err(internal)?;
        let url = Url::parse(STORE_URL).map_err(|why| QueryError::Internal(why.to_string()))?;
        runtime.register_object_store(&url, lake.object_store());
        Ok(Self { lake, config: Arc::new(config), runtime })
    }

    /// Asks one question.
    ///
    /// # Errors
    /// A [`QueryError`] before the first row; later ones come with the rows.
    pub async fn ask(&self, request: &SqlRequest) -> Result<Answer, QueryError> {
        let left = self.allowance(request);
        let (deadline, timeout) = (left.deadline, left.timeout);
        let (engine, request) = (self.clone(), request.clone());
        // Planning does not yield: as a task of its own it cannot hold up the deadline.
        let task = tokio::spawn(async move { engine.start(&request, left).await });
        let abort = AbortOnDrop(task.abort_handle());
        let started = tokio::time::timeout_at(deadline, task).await;
        drop(abort);
        match started {
            Err(_) => Err(QueryError::Timeout(timeout)),
            Ok(Err(_)) => Err(QueryError::Internal("planning panicked".to_owned())),
            Ok(Ok(answer)) => answer,
        }
    }

    fn allowance(&self, request: &SqlRequest) -> Allowance {
        let longest = self.config.timeout.0;
        let timeout = request.timeout.map_or(longest, |wanted| wanted.min(longest));
        Allowance {
            rows: request.limit.unwrap_or(self.config.rows_max).min(self.config.rows_max),
            bytes: self.config.answer_bytes_max,
            timeout,
            deadline: Instant::now() + timeout,
            tells: request.scope.is_all(),
        }
    }

    async fn start(&self, request: &SqlRequest, left: Allowance) -> Result<Answer, QueryError> {
        if request.sql.len() > self.config.statement_bytes_max.0 {
            let limit = self.config.statement_bytes_max.0;
            let detail = format!("the statement is longer than {limit} bytes");
            return Err(QueryError::TooLarge(detail));
        }
        let statement = statement::read_only(&request.sql, &request.scope)?;
        let runtime = Arc::clone(&self.runtime);
        let session = session::open(runtime, self.config.threads, &request.scope);
        let versions = self.show_tables(&session, &statement, &request.scope).await?;
        let frame = plan(&session, statement, request, left.rows).await?;
        let tells = left.tells;
        let stream = frame.execute_stream().await;
        let stream = stream.map_err(|why| QueryError::running(&why, tells))?;
        Ok(Answer::new(versions, stream, left))
    }

    /// Puts the tables that the scope sees into the session, those that the statement names in
    /// their newest version; returns these versions.
    async fn show_tables(
        &self,
        session: &SessionContext,
        statement: &Statement,
        scope: &Scope,
    ) -> Result<Vec<(TableName, u64)>, QueryError> {
        let named = session.state().resolve_table_references(statement);
        let named = named.map_err(|why| QueryError::planning(&why))?;
        let mut versions = Vec::new();
        for table in self.lake.tables() {
            let name = table.name();
            if !LakeTable::is_visible(name, scope) {
                continue;
            }
            let is_named = named.iter().any(|reference| reference.table() == name.name());
            let snapshot = if is_named {
                let newest = self.newest(name).await?;
                versions.push((name, newest.version()));
                newest
            } else {
                // One that must not be used is not there for those who do not ask for it.
                let Ok(known) = table.snapshot() else { continue };
                known
            };
            let threads = self.config.threads;
            let provider = LakeTable::new(table.clone(), snapshot, scope.clone(), threads);
            let shown = session.register_table(name.name(), Arc::new(provider));
            shown.map_err(|why| QueryError::Internal(why.strip_backtrace()))?;
        }
        Ok(versions)
    }

    async fn newest(&self, table: TableName) -> Result<Snapshot, QueryError> {
        self.lake.table(table).refresh().await.map_err(QueryError::Unavailable)
    }
}

/// Plans a statement with its parameters bound; one row more than allowed tells of more.
async fn plan(
    session: &SessionContext,
    statement: Statement,
    request: &SqlRequest,
    rows: usize,
) -> Result<DataFrame, QueryError> {
    let invalid = |why: DataFusionError| QueryError::planning(&why);
    let plan = session.state().statement_to_plan(statement).await.map_err(invalid)?;
    let reads = SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
        .verify_plan(&plan);
    reads.map_err(|_| QueryError::NotReadOnly("this statement".to_owned()))?;
    let is_query = !matches!(
        plan,
        LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::DescribeTable(_)
    );
    let frame = session.execute_logical_plan(plan).await.map_err(invalid)?;
    let frame = frame.with_param_values(request.parameters.clone()).map_err(invalid)?;
    if is_query { frame.limit(0, Some(rows.saturating_add(1))).map_err(invalid) } else { Ok(frame) }
}

/// Ends the planning task of a question that nobody waits for any more.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
