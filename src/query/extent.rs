//! How much of a statement may be planned: planning does not yield, and grows faster than its text.
//!
//! Tokens are counted before anything is parsed, since a deep tree costs stack; the rest on the
//! tree.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Query, visit_expressions, visit_relations};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::error::QueryError;

/// The most tokens of a statement.
const TOKENS_MAX: usize = 4_000;
/// The most operators: a chain of 1,500 additions took seconds to plan.
const OPERATORS_MAX: usize = 400;
/// The most tables, joined or in subqueries.
const TABLES_MAX: usize = 24;
/// The most columns of a CUBE, which groups in two to the power of them ways.
const CUBE_COLUMNS_MAX: usize = 6;

/// Refuses a text that is too long to be parsed.
pub(super) fn check_text(sql: &str) -> Result<(), QueryError> {
    // What is no SQL the parser reports better.
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize().unwrap_or_default();
    let count = tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_))).count();
    within(count, TOKENS_MAX, "words and signs")
}

/// Refuses a query that would take too long to plan.
pub(super) fn check_query(query: &Query) -> Result<(), QueryError> {
    let (mut operators, mut cube_columns, mut tables) = (0, 0, 0);
    let _: ControlFlow<()> = visit_expressions(query, |expression| {
        match expression {
            Expr::BinaryOp { .. } => operators += 1,
            Expr::Cube(columns) => cube_columns = cube_columns.max(columns.len()),
            _ => {}
        }
        ControlFlow::Continue(())
    });
    let _: ControlFlow<()> = visit_relations(query, |_| {
        tables += 1;
        ControlFlow::Continue(())
    });
    within(operators, OPERATORS_MAX, "operators")?;
    within(tables, TABLES_MAX, "tables")?;
    within(cube_columns, CUBE_COLUMNS_MAX, "columns in a CUBE")
}

fn within(count: usize, max: usize, what: &str) -> Result<(), QueryError> {
    if count > max {
        let detail = format!("the statement has {count} {what}: at most {max} are allowed");
        return Err(QueryError::TooLarge(detail));
    }
    Ok(())
}
