//! PostgreSQL's SQL as DataFusion understands it.
//!
//! What reads rows is changed only where the change says exactly the same. What asks the catalogue,
//! and no table of ours, is rewritten freely: psql and drivers ask it in ways that DataFusion does
//! not plan, and an answer without some detail of a table is of use to them.

use std::ops::ControlFlow;

use datafusion::error::DataFusionError;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{self, ObjectName, visit_relations};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use datafusion_pg_catalog::sql::rules::{
    CurrentUserVariableToSessionUserFunctionCall, FixVersionColumnName,
    PrependUnqualifiedPgTableName, RewriteArrayAnyAllOperation, RewritePgCatalogOperator,
    RewriteRegCastToSubquery, SqlStatementRewriteRule, StripCallableQualifier, StripCollate,
};

use super::error::QueryError;
use super::statement;
use crate::lake::TableName;

/// Whether a text asks for more than the tables: their catalogue, or PostgreSQL's functions.
pub(super) fn asks_the_catalogue(sql: &str) -> bool {
    Words::of(sql).ask_the_catalogue
}

/// The one statement of a text, as it is to be planned.
///
/// # Errors
/// [`QueryError::Invalid`] when it is not one statement.
pub(super) fn parse(sql: &str) -> Result<Statement, QueryError> {
    let words = Words::of(sql);
    if words.ask_the_catalogue {
        let parsed = PostgresCompatibilityParser::new().parse(sql);
        let mut statements = parsed
            .map_err(|why| QueryError::planning(&DataFusionError::SQL(Box::new(why), None)))?;
        if let (Some(only), true) = (statements.pop(), statements.is_empty())
            && !matches!(only, ast::Statement::Explain { .. })
            && !reads_rows(&only)
        {
            return Ok(Statement::Statement(Box::new(only)));
        }
    }
    Ok(match statement::one(sql)? {
        Statement::Statement(read) => {
            Statement::Statement(Box::new(exact(*read, words.any_of_text)))
        }
        Statement::Explain(mut explain) => {
            if let Statement::Statement(read) = *explain.statement {
                let read = exact(*read, words.any_of_text);
                explain.statement = Box::new(Statement::Statement(Box::new(read)));
            }
            Statement::Explain(explain)
        }
        other => other,
    })
}

/// What a text's words tell before it is parsed.
struct Words {
    ask_the_catalogue: bool,
    /// Whether there is an array written as a text that is not just its elements.
    any_of_text: bool,
}

impl Words {
    fn of(sql: &str) -> Self {
        let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize().unwrap_or_default();
        let (mut ask_the_catalogue, mut any_of_text) = (false, false);
        for token in &tokens {
            match token {
                Token::Word(word) => ask_the_catalogue |= is_of_catalogue(&word.value),
                Token::SingleQuotedString(text) => {
                    any_of_text |= text.starts_with('{') && text.contains(['"', '\\']);
                }
                _ => {}
            }
        }
        Self { ask_the_catalogue, any_of_text }
    }
}

fn is_of_catalogue(word: &str) -> bool {
    const NAMES: [&str; 7] = [
        "information_schema",
        "tables",
        "columns",
        "quote_ident",
        "parse_ident",
        "current_schemas",
        "format_type",
    ];
    let word = word.to_ascii_lowercase();
    let begins = ["pg_", "has_", "reg", "array_", "generate_"];
    begins.iter().any(|begin| word.starts_with(begin)) || NAMES.contains(&word.as_str())
}

/// Whether a statement names a table that has rows.
fn reads_rows(statement: &ast::Statement) -> bool {
    let found = visit_relations(statement, |name: &ObjectName| {
        let is_lake = name.0.len() == 1 || !of_catalogue_schema(name);
        let last = name.0.last().and_then(|part| part.as_ident());
        let is_table = last.is_some_and(|last| TableName::named(&last.value).is_some());
        if is_lake && is_table { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    found.is_break()
}

fn of_catalogue_schema(name: &ObjectName) -> bool {
    let schema = name.0.iter().rev().nth(1).and_then(|part| part.as_ident());
    schema
        .is_some_and(|schema| ["pg_catalog", "information_schema"].contains(&schema.value.as_str()))
}

/// A statement with PostgreSQL's ways of writing replaced by DataFusion's, where they mean the
/// same.
fn exact(statement: ast::Statement, any_of_text: bool) -> ast::Statement {
    let mut rules: Vec<Box<dyn SqlStatementRewriteRule>> = vec![
        Box::new(PrependUnqualifiedPgTableName),
        Box::new(StripCallableQualifier),
        Box::new(CurrentUserVariableToSessionUserFunctionCall),
        Box::new(StripCollate),
        Box::new(RewritePgCatalogOperator),
        Box::new(RewriteRegCastToSubquery::new()),
        Box::new(FixVersionColumnName),
    ];
    // The rule splits such a text at its commas, whatever is quoted.
    if !any_of_text {
        rules.push(Box::new(RewriteArrayAnyAllOperation));
    }
    rules.iter().fold(statement, |statement, rule| rule.rewrite(statement))
}
