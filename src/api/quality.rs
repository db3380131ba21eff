//! Data quality over HTTP: how far the figures can be trusted.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::answering::{Asking, TABLE_VERSIONS, refused, versions};
use super::auth::MayAsk;
use super::openapi::RowsView;
use super::paging::Page;
use super::problem::{Problem, ProblemKind};
use super::questions::named;
use super::state::App;
use super::terms::{UrlTerms, format_of, invalid};
use crate::lake::TableName;
use crate::query::{self, Format, QUALITY, QueryError, Question, SqlRequest, Terms};

/// One metric of data quality, or why it cannot be told.
#[derive(Debug, Serialize, ToSchema)]
pub struct Metric {
    /// Its name: a question of `sql/`.
    metric: &'static str,
    /// What it asks.
    question: String,
    /// Its columns, each with name and type.
    #[schema(value_type = Vec<super::openapi::ColumnView>)]
    columns: Value,
    /// Its rows, each a cell per column.
    #[schema(value_type = Vec<Vec<Value>>)]
    rows: Value,
    /// Whether rows were cut off.
    truncated: bool,
    /// Why there are no rows, where it cannot be narrowed so.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// How far the figures can be trusted.
#[derive(Debug, Serialize, ToSchema)]
pub struct Quality {
    /// When it was asked.
    at: String,
    /// Every metric.
    metrics: Vec<Metric>,
}

/// All metrics, or the rows of one.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code)]
pub enum QualityAnswer {
    /// All of them.
    All(Quality),
    /// The one that `metric` names.
    One(RowsView),
}

/// `GET /v1/quality`: how far the figures can be trusted. All metrics come as one JSON document;
/// `metric` asks for one of them, as rows in any format.
#[utoipa::path(
    get, path = "/v1/quality", operation_id = "quality", tag = "questions",
    responses((status = 200, response = super::openapi::QualityResponse)),
    params(
        ("metric" = Option<String>, Query, description = "One metric: `priced_share`, \
            `unpriced_by_model`, `estimated_share`, `unattributed_spend`, `unattributed_columns`, \
            `duplicates`, `conflicts`, `late_events`, `dead_letters_by_reason`, \
            `drift_against_reported`, `freshness` or `data_quality`."),
        super::openapi::NarrowTerms, super::openapi::PageTerms, super::openapi::QueryIdHeader
    )
)]
pub async fn quality(
    MayAsk(caller): MayAsk,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    UrlTerms(mut terms): UrlTerms,
) -> Result<Response, Problem> {
    let asking = Asking { app: &app, caller: &caller, headers: &headers, named: "quality" };
    if let Some(metric) = terms.remove("metric") {
        let known = QUALITY.iter().find(|name| **name == metric);
        let expected = || invalid(format!("`metric`: expected one of {}", QUALITY.join(", ")));
        return named(&app, Asking { named: known.ok_or_else(expected)?, ..asking }, terms).await;
    }
    if format_of(&mut terms, &headers)? != Format::Json {
        let detail = "all metrics together come as JSON: name one by `metric`";
        return Err(Problem::new(ProblemKind::NotAcceptable, detail));
    }
    let page = Page::take(&mut terms, "quality", app.state.clock.now())?;
    let mut metrics = Vec::new();
    // All of them are about the same rows.
    let mut read: Vec<(TableName, u64)> = Vec::new();
    for question in QUALITY.iter().filter_map(|name| Question::named(name)) {
        metrics.push(told(asking, &question, terms.clone(), &page, &mut read).await?);
    }
    let document = Json(Quality { at: page.now.to_string(), metrics });
    let mut response = document.into_response();
    if let Ok(value) = HeaderValue::from_str(&versions(&read)) {
        response.headers_mut().insert(HeaderName::from_static(TABLE_VERSIONS), value);
    }
    Ok(response)
}

/// One metric over the versions that were read before, and those of other tables that it adds.
async fn told(
    asking: Asking<'_>,
    question: &Question,
    terms: Terms,
    page: &Page,
    read: &mut Vec<(TableName, u64)>,
) -> Result<Metric, Problem> {
    let mut request = match question.asked(terms, page.now)?.to_sql() {
        Ok(request) => page.of(request),
        // Dead letters are known by less than calls.
        Err(why) if is_about_letters(&why, question) => {
            return Ok(Metric { why: Some(why.to_string()), ..Metric::of(question, json!({})) });
        }
        Err(why) => return Err(refused(&why)),
    };
    let is_read = |table: TableName| read.iter().any(|(known, _)| *known == table);
    request.versions.retain(|(table, _)| !is_read(*table));
    request.versions.extend(read.iter().copied());
    let asking = Asking { named: question.name, ..asking };
    let mut given = asking.ask(SqlRequest { offset: 0, ..request }).await?;
    let answered = query::encode(&mut given.answer, Format::Json).await;
    let answered = answered.map_err(|error| refused(&error))?;
    let new = given.answer.versions.iter().filter(|(table, _)| !is_read(*table));
    let new: Vec<(TableName, u64)> = new.copied().collect();
    read.extend(new);
    Ok(Metric::of(question, serde_json::from_slice(&answered).unwrap_or_default()))
}

fn is_about_letters(why: &QueryError, question: &Question) -> bool {
    let told = matches!(why, QueryError::UnknownName(why) if why.starts_with("dead letters"));
    told && question.sql.contains("FROM dead_letters")
}

impl Metric {
    /// A question's answer in JSON, as one of several.
    fn of(question: &Question, mut answer: Value) -> Self {
        let mut part = |name: &str| answer.get_mut(name).map(Value::take);
        Self {
            metric: question.name,
            question: question.asks(),
            columns: part("columns").unwrap_or(json!([])),
            rows: part("rows").unwrap_or(json!([])),
            truncated: part("truncated") == Some(Value::Bool(true)),
            why: None,
        }
    }
}
