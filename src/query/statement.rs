//! What a statement may be: one, and one that only reads, by an allow-list on the parsed tree.

use datafusion::common::format::ExplainStatementOptions;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{self, Query, SetExpr};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;

use super::error::QueryError;
use super::request::{Dialect, Scope};
use super::{extent, postgres_sql};

/// Parses a statement and refuses whatever is not a plain read.
///
/// # Errors
/// [`QueryError::Invalid`] when it is not one statement, [`QueryError::NotReadOnly`] when it is not
/// on the list, [`QueryError::TooLarge`] when it would take too long to plan.
pub(super) fn read_only(
    sql: &str,
    dialect: Dialect,
    scope: &Scope,
) -> Result<Statement, QueryError> {
    extent::check_text(sql)?;
    let statement = match dialect {
        Dialect::Own => one(sql)?,
        Dialect::PostgreSql => postgres_sql::parse(sql)?,
    };
    allow(&statement, scope)?;
    Ok(statement)
}

/// The one statement of a text.
pub(super) fn one(sql: &str) -> Result<Statement, QueryError> {
    let parsed = DFParserBuilder::new(sql).with_dialect(&PostgreSqlDialect {}).build();
    let parsed = parsed.and_then(|mut parser| parser.parse_statements());
    let mut statements = parsed.map_err(|error| QueryError::planning(&error))?;
    let Some(statement) = statements.pop_front() else {
        return Err(QueryError::Invalid("there is no statement".to_owned()));
    };
    if !statements.is_empty() {
        let count = statements.len() + 1;
        return Err(QueryError::Invalid(format!("these are {count} statements: send one")));
    }
    Ok(statement)
}

fn allow(statement: &Statement, scope: &Scope) -> Result<(), QueryError> {
    match statement {
        Statement::Statement(statement) => allow_standard(statement),
        Statement::Explain(explain) => {
            // ANALYZE and VERBOSE tell of files and rows below the scope's fence.
            if !scope.is_all() && explain.options != ExplainStatementOptions::default() {
                return refuse("EXPLAIN with options");
            }
            match explain.statement.as_ref() {
                Statement::Statement(inner) if matches!(**inner, ast::Statement::Query(_)) => {
                    allow_standard(inner)
                }
                _ => refuse("EXPLAIN of anything but a query"),
            }
        }
        Statement::CreateExternalTable(_) => refuse("CREATE EXTERNAL TABLE"),
        Statement::CopyTo(_) => refuse("COPY"),
        Statement::Reset(_) => refuse("RESET"),
    }
}

fn allow_standard(statement: &ast::Statement) -> Result<(), QueryError> {
    match statement {
        ast::Statement::Query(query) => {
            extent::check_query(query)?;
            allow_query(query)
        }
        ast::Statement::ShowTables { .. }
        | ast::Statement::ShowColumns { .. }
        | ast::Statement::ExplainTable { .. } => Ok(()),
        other => refuse(&first_words(other)),
    }
}

fn allow_query(query: &Query) -> Result<(), QueryError> {
    if let Some(with) = &query.with {
        if with.recursive {
            return refuse("WITH RECURSIVE");
        }
        with.cte_tables.iter().try_for_each(|cte| allow_query(&cte.query))?;
    }
    if !query.locks.is_empty() {
        return refuse("FOR UPDATE");
    }
    if query.settings.is_some() || query.format_clause.is_some() {
        return refuse("SETTINGS or FORMAT in a query");
    }
    allow_body(&query.body)
}

fn allow_body(body: &SetExpr) -> Result<(), QueryError> {
    match body {
        SetExpr::Select(select) if select.into.is_some() => refuse("SELECT INTO"),
        SetExpr::Select(_) | SetExpr::Values(_) | SetExpr::Table(_) => Ok(()),
        SetExpr::Query(query) => allow_query(query),
        SetExpr::SetOperation { left, right, .. } => {
            allow_body(left)?;
            allow_body(right)
        }
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
            refuse("writing")
        }
    }
}

/// The keyword that a statement begins with.
fn first_words(statement: &ast::Statement) -> String {
    let text = statement.to_string();
    format!("`{}`", text.split_whitespace().next().unwrap_or_default())
}

fn refuse(what: &str) -> Result<(), QueryError> {
    Err(QueryError::NotReadOnly(what.to_owned()))
}
