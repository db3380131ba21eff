//! From a question to an answer: parse, allow, snapshot, plan, run.
//!
//! Every question gets the newest version of the tables that it names, a session of its own, and
//! ends at its deadline. Sessions share memory, spill space and the metadata of files. A server
//! has its questions run in worker processes; a command is a process of its own anyway.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arrow::datatypes::SchemaRef;
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
use super::catalogue::Catalogue;
use super::config::QueryConfig;
use super::error::QueryError;
use super::request::{Described, Dialect, SqlRequest};
use super::rows::Rows;
use super::scan::LakeTable;
use super::views::viewed;
use super::worker::{WorkerCommand, Workers};
use super::{catalogue, describe, postgres_sql, session, statement};
use crate::lake::{Lake, Snapshot, TableName};

/// Under this address the sessions know the lake's store.
pub(super) const STORE_URL: &str = "lake://tables/";
/// What is kept of the footers of files that were read, so that they are not read again.
const FOOTERS_BYTES_MAX: usize = 128 << 20;

/// The pauses before a table's newest version is looked for again.
const REFRESHED_AGAIN_AFTER: [Duration; 3] =
    [Duration::from_millis(10), Duration::from_millis(50), Duration::from_millis(250)];

/// Answers questions over a lake. Cheap to clone.
#[derive(Debug, Clone)]
pub struct QueryEngine {
    config: Arc<QueryConfig>,
    place: Place,
}

/// Where questions run.
#[derive(Debug, Clone)]
enum Place {
    Here(Arc<Here>),
    Workers(Arc<Workers>),
}

impl QueryEngine {
    /// An engine over a lake, in this process.
    ///
    /// # Errors
    /// [`QueryError::Internal`] when there is no directory to spill to.
    pub fn new(lake: Arc<Lake>, config: QueryConfig) -> Result<Self, QueryError> {
        let here = Here::new(lake, &config, None)?;
        Ok(Self { config: Arc::new(config), place: Place::Here(Arc::new(here)) })
    }

    /// An engine over a lake, in a process that does nothing else: a command.
    ///
    /// # Errors
    /// As [`QueryEngine::new`].
    pub fn alone(lake: Arc<Lake>, config: QueryConfig) -> Result<Self, QueryError> {
        let here = Here { is_alone: true, ..Here::new(lake, &config, None)? };
        Ok(Self { config: Arc::new(config), place: Place::Here(Arc::new(here)) })
    }

    /// An engine whose questions run in worker processes.
    pub fn with_workers(command: WorkerCommand, config: QueryConfig) -> Self {
        let workers = Workers::new(command, config.workers);
        Self { config: Arc::new(config), place: Place::Workers(workers) }
    }

    /// Gets ready for the first question.
    pub async fn warm(&self) {
        if let Place::Workers(workers) = &self.place {
            workers.warm().await;
        }
    }

    /// Asks one question.
    ///
    /// # Errors
    /// A [`QueryError`] before the first row; later ones come with the rows.
    pub async fn ask(&self, request: &SqlRequest) -> Result<Answer, QueryError> {
        let left = self.allowance(request);
        let (place, asked) = (self.place.clone(), request.clone());
        let (rows, bytes) = (left.rows, left.bytes.0);
        let started = async move {
            match place {
                Place::Here(here) => here.start(&asked, rows).await,
                Place::Workers(workers) => workers.start(&asked, rows, bytes).await,
            }
        };
        let rows = self.within(&left, request, started).await?;
        Ok(Answer::new(rows, left))
    }

    /// Says what the answer to a question would be like, without running it. A parameter that is
    /// a NULL of some type is of that type; one that is just NULL is what the statement makes it.
    ///
    /// # Errors
    /// As [`QueryEngine::ask`].
    pub async fn describe(&self, request: &SqlRequest) -> Result<Described, QueryError> {
        let left = self.allowance(request);
        let (place, asked) = (self.place.clone(), request.clone());
        let bytes = left.bytes.0;
        let described = async move {
            match place {
                Place::Here(here) => here.describe(&asked).await,
                Place::Workers(workers) => workers.describe(&asked, bytes).await,
            }
        };
        self.within(&left, request, described).await
    }

    /// Plans within what is allowed. Planning does not yield: as a task of its own it cannot hold
    /// up the deadline.
    async fn within<T: Send + 'static>(
        &self,
        left: &Allowance,
        request: &SqlRequest,
        planned: impl Future<Output = Result<T, QueryError>> + Send + 'static,
    ) -> Result<T, QueryError> {
        if request.sql.len() > self.config.statement_bytes_max.0 {
            let limit = self.config.statement_bytes_max.0;
            let detail = format!("the statement is longer than {limit} bytes");
            return Err(QueryError::TooLarge(detail));
        }
        let task = tokio::spawn(planned);
        let _abort = AbortOnDrop(task.abort_handle());
        let ended = tokio::select! {
            ended = tokio::time::timeout_at(left.deadline, task) => ended,
            () = request.cancel.cancelled() => return Err(QueryError::Cancelled),
        };
        match ended {
            Err(_) => Err(QueryError::Timeout(left.timeout)),
            Ok(Err(_)) => Err(QueryError::Internal("planning panicked".to_owned())),
            Ok(Ok(planned)) => planned,
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
            cancel: request.cancel.clone(),
        }
    }
}

/// Questions in this process.
#[derive(Debug)]
pub(super) struct Here {
    lake: Arc<Lake>,
    runtime: Arc<RuntimeEnv>,
    threads: usize,
    /// Whether the process answers questions, one at a time, and does nothing else.
    is_alone: bool,
    /// The columns of each of the lake's tables.
    columns: Vec<SchemaRef>,
    /// Read when the first client of PostgreSQL's asks.
    catalogue: OnceLock<Catalogue>,
}

impl Here {
    /// Over a lake; what does not fit into memory goes to `spill`, or to the system's own place.
    ///
    /// # Errors
    /// [`QueryError::Internal`] when there is no directory to spill to.
    pub(super) fn new(
        lake: Arc<Lake>,
        config: &QueryConfig,
        spill: Option<&Path>,
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
        let tables = lake.tables().iter();
        let columns = tables.map(|table| viewed(&table.spec().table_schema())).collect();
        let catalogue = OnceLock::new();
        Ok(Self { lake, runtime, threads, is_alone: false, columns, catalogue })
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
        Ok(Self { is_alone: true, ..Self::new(lake, config, Some(spill))? })
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
        let runtime = Arc::clone(&self.runtime);
        let session = session::open(runtime, (self.threads, self.is_alone), &request.scope);
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
        let newest = self.newest(table).await?;
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

    /// The newest version of a table; a listing that others' commits have torn is made again.
    async fn newest(&self, table: TableName) -> Result<Snapshot, QueryError> {
        let mut pauses = REFRESHED_AGAIN_AFTER.into_iter();
        loop {
            match self.lake.table(table).refresh().await {
                Ok(newest) => return Ok(newest),
                Err(why) => match pauses.next().filter(|_| why.is_retryable()) {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(QueryError::Unavailable(why.to_string())),
                },
            }
        }
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

/// Ends the planning task of a question that nobody waits for any more.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
