//! Where questions are asked: a running server, or the lake itself.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use arrow::array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use serde_json::{Value, json};

use super::data_dir::{self, Holder};
use super::node;
use super::remote::Remote;
use super::table;
use crate::lake::Lake;
use crate::query::{self, CostsRequest, Format, QueryEngine, Question, SqlRequest, Terms};
use crate::time::{Clock, SystemClock};

/// Where questions are asked.
#[derive(Debug)]
pub enum Place {
    /// A server that holds the data directory, or was named.
    Server(Remote),
    /// The tables: nobody holds the directory, or the lake is an object store.
    Lake(QueryEngine),
}

impl Place {
    /// The server at `url`, else the one that holds the data directory, else the lake.
    ///
    /// # Errors
    /// When the configuration is wrong or the lake cannot be opened.
    pub async fn find(url: Option<String>, config: Option<&Path>) -> Result<Self> {
        let config = node::configure(config)?;
        if let Some(url) = url {
            return Ok(Self::Server(Remote::new(&url)));
        }
        if let Holder::Server(url) = data_dir::holder(&config.data_dir)? {
            return Ok(Self::Server(Remote::new(&url)));
        }
        let local = !config.lake.url.contains("://");
        if local && !Path::new(&config.lake.url).exists() {
            return Err(anyhow!(
                "there is no lake at `{}`: start with `tokenmeter serve` or `tokenmeter demo`, or \
                 name a server by `--url`",
                config.lake.url
            ));
        }
        let lake = Lake::open(&config.lake, Arc::new(SystemClock)).await?;
        Ok(Self::Lake(QueryEngine::alone(Arc::new(lake), config.query)?))
    }

    /// The answer to a statement, in a format.
    ///
    /// # Errors
    /// Why it was not answered.
    pub async fn sql(&self, sql: &str, parameters: &[Value], format: Format) -> Result<Vec<u8>> {
        match self {
            Self::Server(remote) => {
                let body = json!({"sql": sql, "params": parameters, "format": format.name()});
                remote.post("/v1/sql", &body).await
            }
            Self::Lake(engine) => {
                let parameters = parameters.iter().map(query::parameter);
                let parameters: Result<Vec<_>, String> = parameters.collect();
                let mut request = SqlRequest::new(sql);
                request.parameters = parameters.map_err(anyhow::Error::msg)?;
                Ok(query::encode(&mut engine.ask(&request).await?, format).await?)
            }
        }
    }

    /// The answer to a statement, as columns and rows.
    ///
    /// # Errors
    /// Why it was not answered.
    pub async fn rows(&self, sql: &str, parameters: &[Value]) -> Result<Rows> {
        Rows::read(&self.sql(sql, parameters, Format::Json).await?)
    }

    /// The rows of a statement as they are, with their types.
    ///
    /// # Errors
    /// Why it was not answered.
    pub async fn batches(&self, sql: &str, parameters: &[Value]) -> Result<Vec<RecordBatch>> {
        let stream = self.sql(sql, parameters, Format::Arrow).await?;
        let batches = StreamReader::try_new(stream.as_slice(), None)?;
        Ok(batches.collect::<Result<_, _>>()?)
    }

    /// The answer to a question of `sql/`, in a format.
    ///
    /// # Errors
    /// Why it was not answered.
    pub async fn question(
        &self,
        question: &Question,
        terms: &Terms,
        format: Format,
    ) -> Result<Vec<u8>> {
        match self {
            Self::Server(remote) => {
                let query = query_string(terms, format);
                remote.get(&format!("/v1/questions/{}?{query}", question.name)).await
            }
            Self::Lake(engine) => {
                let request = question.asked(terms.clone(), SystemClock.now())?.to_sql()?;
                Ok(query::encode(&mut engine.ask(&request).await?, format).await?)
            }
        }
    }

    /// The same, as columns and rows.
    ///
    /// # Errors
    /// Why it was not answered.
    pub async fn told(&self, question: &Question, terms: &Terms) -> Result<Rows> {
        Rows::read(&self.question(question, terms, Format::Json).await?)
    }

    /// Costs by the terms of `GET /v1/costs`, in a format.
    ///
    /// # Errors
    /// Why it was not answered.
    pub async fn costs_in(&self, terms: &Terms, format: Format) -> Result<Vec<u8>> {
        match self {
            Self::Server(remote) => {
                let query = query_string(terms, format);
                remote.get(&format!("/v1/costs?{query}")).await
            }
            Self::Lake(engine) => {
                let request = CostsRequest::read(terms.clone())?;
                Ok(query::encode(&mut engine.costs(&request).await?, format).await?)
            }
        }
    }

    /// The same, as columns and rows.
    ///
    /// # Errors
    /// Why it was not answered.
    pub async fn costs(&self, terms: &Terms) -> Result<Rows> {
        Rows::read(&self.costs_in(terms, Format::Json).await?)
    }
}

fn query_string(terms: &Terms, format: Format) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(terms);
    query.append_pair("format", format.name());
    query.finish()
}

/// Columns and rows of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Value>>,
    truncated: bool,
}

impl Rows {
    /// Reads an answer in JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(document: &[u8]) -> Result<Self> {
        let document: Value = serde_json::from_slice(document)?;
        let list = |key: &str| document.get(key).and_then(Value::as_array).cloned();
        let columns = list("columns").unwrap_or_default();
        let name = |column: &Value| column.get("name")?.as_str().map(str::to_owned);
        let rows = list("rows").unwrap_or_default();
        let truncated = document.get("truncated") == Some(&Value::Bool(true));
        Ok(Self {
            columns: columns.iter().filter_map(name).collect(),
            rows: rows.into_iter().filter_map(|row| row.as_array().cloned()).collect(),
            truncated,
        })
    }

    /// These columns only, in their order.
    pub fn only(&self, names: &[&str]) -> Self {
        let place = |name: &&str| self.columns.iter().position(|column| column == name);
        let places: Vec<usize> = names.iter().filter_map(place).collect();
        let columns = places.iter().filter_map(|place| self.columns.get(*place).cloned());
        let cells =
            |row: &Vec<Value>| places.iter().filter_map(|at| row.get(*at).cloned()).collect();
        Self {
            columns: columns.collect(),
            rows: self.rows.iter().map(cells).collect(),
            truncated: self.truncated,
        }
    }

    /// The rows as a table for a person.
    pub fn drawn(&self) -> String {
        let mut drawn = table::draw(&self.columns, &self.rows);
        if self.truncated {
            drawn.push_str("(more rows were cut off: add a LIMIT or narrow the question)\n");
        }
        drawn
    }

    /// The text of a cell by the column's name.
    pub fn text(&self, row: usize, column: &str) -> Option<String> {
        let place = self.columns.iter().position(|name| name == column)?;
        Some(table::text(self.rows.get(row)?.get(place)?))
    }
}
