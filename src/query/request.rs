//! What is asked, by whom, and within which limits.

use std::time::Duration;

use arrow::datatypes::{FieldRef, SchemaRef};
use datafusion::scalar::ScalarValue;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::lake::TableName;

/// Whose rows a query sees.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scope {
    /// Everyone's, and the tables that belong to no tenant.
    #[default]
    All,
    /// These tenants' only.
    Tenants(Vec<String>),
}

impl Scope {
    /// Whether it sees every row.
    pub const fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }
}

/// Whose SQL a statement is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// DataFusion's own.
    #[default]
    Own,
    /// PostgreSQL's, as its clients write it: `pg_catalog` is there.
    PostgreSql,
}

/// One SQL question.
#[derive(Debug, Clone, Default)]
pub struct SqlRequest {
    /// One statement that reads.
    pub sql: String,
    /// What `$1`, `$2` and so on stand for; bound, never spliced.
    pub parameters: Vec<ScalarValue>,
    /// The most rows to answer; the configured limit holds as well.
    pub limit: Option<usize>,
    /// Rows of the answer that are left out at its beginning: pages before this one.
    pub offset: usize,
    /// The versions of tables that are read; those that are not named are read in their newest.
    pub versions: Vec<(TableName, u64)>,
    /// The longest to take; the configured limit holds as well.
    pub timeout: Option<Duration>,
    /// Whose SQL it is.
    pub dialect: Dialect,
    /// Whose rows it sees.
    pub scope: Scope,
    /// Who asks: one asker never has all workers.
    pub asker: String,
    /// Ends it before its time.
    pub cancel: CancellationToken,
}

impl SqlRequest {
    /// A question over every row, with the configured limits.
    pub fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), ..Self::default() }
    }
}

/// What a statement's answer would be like.
#[derive(Debug, Clone)]
pub struct Described {
    /// What `$1`, `$2` and so on are.
    pub parameters: Vec<FieldRef>,
    /// The columns.
    pub schema: SchemaRef,
}
