//! The room's tests: over a small lake in a temporary directory, without a network.

#![allow(clippy::indexing_slicing)]

mod access;
mod costs;
mod formats;
pub(crate) mod lake;
mod limits;
pub(crate) mod neighbours;
mod postgres;
mod quality;
mod questions;
mod reads;

use arrow::array::RecordBatch;
use serde_json::Value;

use super::*;
use lake::TestLake;

/// The whole answer as one JSON document.
async fn ask(engine: &QueryEngine, request: &SqlRequest) -> Result<Value, QueryError> {
    let mut answer = engine.ask(request).await?;
    let document = encode(&mut answer, Format::Json).await?;
    Ok(serde_json::from_slice(&document).expect("JSON"))
}

/// The rows of the answer, as JSON text.
async fn rows(engine: &QueryEngine, sql: &str) -> String {
    rows_in(engine, sql, &Scope::All).await
}

async fn rows_in(engine: &QueryEngine, sql: &str, scope: &Scope) -> String {
    let request = SqlRequest { scope: scope.clone(), ..SqlRequest::new(sql) };
    match ask(engine, &request).await {
        Ok(document) => document.get("rows").expect("rows").to_string(),
        Err(error) => format!("{}: {error}", error.code()),
    }
}

fn of_tenants(tenants: &[&str]) -> Scope {
    Scope::Tenants(tenants.iter().map(|tenant| (*tenant).to_owned()).collect())
}

fn row_count(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}
