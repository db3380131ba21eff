//! Asks the newest version of the tables, within limits.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::execution::context::{SessionConfig, SessionContext};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use futures::StreamExt;

use super::config::QueryConfig;
use super::error::QueryError;
use super::guard;
use super::provider::LakeTable;
use crate::lake::{Lake, TableName};

/// Whose rows a question sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everybody's.
    All,
    /// Those of these tenants.
    Tenants(Vec<String>),
}

/// A question in SQL.
#[derive(Debug, Clone)]
pub struct SqlRequest {
    /// One reading statement.
    pub sql: String,
    /// What `$1`, `$2` and so on stand for; bound, never spliced.
    pub parameters: Vec<ScalarValue>,
    /// The most rows wanted; the configuration's limit holds as well.
    pub limit: Option<usize>,
    /// The longest it may take; the configuration's limit holds as well.
    pub timeout: Option<Duration>,
    /// Whose rows it sees.
    pub scope: Scope,
}

impl SqlRequest {
    /// A statement without parameters that sees everything.
    pub fn new(sql: impl Into<String>) -> Self {
        Self {
            sql: sql.into(),
            parameters: Vec::new(),
            limit: None,
            timeout: None,
            scope: Scope::All,
        }
    }
}

/// Rows, and of which versions of the tables they are.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The columns.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
    /// Whether rows were cut off.
    pub truncated: bool,
    /// The tables' versions: the same question of the same versions has the same answer.
    pub versions: Vec<(TableName, u64)>,
}

/// Answers questions about a lake.
#[derive(Debug, Clone)]
pub struct QueryEngine {
    lake: Arc<Lake>,
    config: QueryConfig,
}

/// Tables that anybody who sees all rows may ask; `control` holds keys and is not among them.
const TABLES: [TableName; 5] = [
    TableName::Calls,
    TableName::CallRevisions,
    TableName::DeadLetters,
    TableName::Anomalies,
    TableName::Prices,
];

impl QueryEngine {
    /// An engine over a lake.
    pub fn new(lake: Arc<Lake>, config: QueryConfig) -> Self {
        Self { lake, config }
    }

    /// Answers a statement that a caller wrote.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn ask(&self, request: &SqlRequest) -> Result<Answer, QueryError> {
        if let Scope::Tenants(_) = request.scope {
            let message = "SQL under a tenant's key is not answered yet: ask `/v1/costs`";
            return Err(QueryError::Forbidden(message.to_owned()));
        }
        self.answer(request).await
    }

    /// Answers a statement of our own, which holds to the scope by itself.
    ///
    /// # Errors
    /// [`QueryError`].
    pub(super) async fn answer(&self, request: &SqlRequest) -> Result<Answer, QueryError> {
        let size = request.sql.len();
        if size > self.config.statement_bytes_max.0 {
            let limit = self.config.statement_bytes_max.0;
            return Err(QueryError::TooLarge(format!("{size} bytes of SQL, at most {limit}")));
        }
        let limit = self.config.timeout.0;
        let limit = request.timeout.map_or(limit, |wanted| wanted.min(limit));
        let answering = tokio::time::timeout(limit, self.run(request));
        answering.await.unwrap_or(Err(QueryError::Timeout { millis: limit.as_millis() }))
    }

    async fn run(&self, request: &SqlRequest) -> Result<Answer, QueryError> {
        let (context, versions) = self.context().await?;
        let plan = context.state().create_logical_plan(&request.sql).await.map_err(sorted)?;
        guard::check(&plan)?;
        let plan = plan.with_param_values(request.parameters.clone()).map_err(sorted)?;
        let frame = context.execute_logical_plan(plan).await.map_err(sorted)?;
        let mut rows = frame.execute_stream().await.map_err(sorted)?;
        let schema = rows.schema();
        let limit = request.limit.unwrap_or(usize::MAX).min(self.config.rows_max);
        let (mut batches, mut left, mut bytes) = (Vec::new(), limit, 0);
        let mut truncated = false;
        while let Some(batch) = rows.next().await {
            let batch = batch.map_err(sorted)?;
            let kept = batch.num_rows().min(left);
            truncated = truncated || kept < batch.num_rows();
            bytes += batch.get_array_memory_size();
            if bytes > self.config.answer_bytes_max.0 {
                let limit = self.config.answer_bytes_max.0;
                let message = format!("the answer is larger than {limit} bytes: ask for less");
                return Err(QueryError::TooLarge(message));
            }
            left -= kept;
            if kept > 0 {
                batches.push(batch.slice(0, kept));
            }
            if truncated {
                break;
            }
        }
        Ok(Answer { schema, batches, truncated, versions })
    }

    /// A session of its own for each question, over the tables' newest versions.
    async fn context(&self) -> Result<(SessionContext, Vec<(TableName, u64)>), QueryError> {
        let pool = FairSpillPool::new(self.config.memory.0);
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(pool))
            .build_arc()
            .map_err(sorted)?;
        let root = self.lake.root();
        let base = format!("{}://{}", root.scheme(), root.host_str().unwrap_or_default());
        let store = ObjectStoreUrl::parse(&base).map_err(sorted)?;
        runtime.register_object_store(store.as_ref(), self.lake.object_store());
        let mut config = SessionConfig::new()
            .with_information_schema(true)
            .with_target_partitions(self.config.threads.max(1));
        config.options_mut().execution.parquet.pushdown_filters = true;
        config.options_mut().execution.parquet.schema_force_view_types = false;
        let context = SessionContext::new_with_config_rt(config, runtime);
        let mut versions = Vec::with_capacity(TABLES.len());
        for name in TABLES {
            let table = self.lake.table(name);
            let snapshot = table.refresh().await?;
            let provider = LakeTable::at(table, &snapshot, store.clone()).await?;
            context.register_table(name.name(), Arc::new(provider)).map_err(sorted)?;
            versions.push((name, snapshot.version()));
        }
        Ok((context, versions))
    }
}

/// What the engine says, sorted by what the asker can do about it.
fn sorted(error: DataFusionError) -> QueryError {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => {
            let message = "the query needs more memory than it may have: narrow it by `date`";
            QueryError::TooLarge(message.to_owned())
        }
        _ => QueryError::Invalid(error.strip_backtrace()),
    }
}
