//! Questions over HTTP: SQL, costs, the questions of `sql/`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::answering::Asking;
pub(super) use super::answering::refused;
use super::auth::MayAsk;
use super::paging::Page;
use super::problem::{Problem, ProblemKind};
use super::state::App;
use super::terms::{UrlTerms, accepted, format_of, invalid};
use crate::lake::TableName;
use crate::query::{
    self, ColumnNote, CostsRequest, Format, Parameter, QUESTIONS, Question, SqlRequest, Terms,
};

/// The body of `POST /v1/sql`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlBody {
    /// One statement that reads: SELECT, SHOW TABLES, SHOW COLUMNS, DESCRIBE or EXPLAIN.
    #[schema(example = "SELECT team, sum(cost_usd) FROM calls WHERE tenant = $1 GROUP BY 1")]
    sql: String,
    /// What `$1`, `$2` and so on stand for: texts, numbers, truth values or null. Bound, never
    /// spliced.
    #[serde(default)]
    #[schema(example = json!(["acme"]))]
    params: Vec<Value>,
    /// How the answer is written; without it, as `Accept` says.
    format: Option<Format>,
    /// The most rows; more are cut off, and the answer says so.
    limit: Option<usize>,
    /// The longest that it may take; the server's limit holds as well.
    timeout_ms: Option<u64>,
    /// Versions of tables to be read, as `X-Table-Versions` of an earlier answer named them: the
    /// same question of the same versions has the same answer.
    #[serde(default)]
    versions: BTreeMap<String, u64>,
}

/// `POST /v1/sql`: one reading statement.
#[utoipa::path(
    post, path = "/v1/sql", operation_id = "ask_sql", tag = "questions", request_body = SqlBody,
    responses((status = 200, response = super::openapi::RowsResponse)),
    params(super::openapi::QueryIdHeader)
)]
pub async fn sql(
    MayAsk(caller): MayAsk,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Result<Json<SqlBody>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(body) = body.map_err(|why| invalid(why.body_text()))?;
    let parameters: Result<Vec<_>, String> = body.params.iter().map(query::parameter).collect();
    let versions = body.versions.iter().map(|(name, version)| {
        let table = TableName::named(name);
        let table = table.ok_or_else(|| invalid(format!("`versions`: no table `{name}`")));
        table.map(|table| (table, *version))
    });
    let request = SqlRequest {
        parameters: parameters.map_err(invalid)?,
        limit: body.limit,
        timeout: body.timeout_ms.map(Duration::from_millis),
        versions: versions.collect::<Result<_, _>>()?,
        ..SqlRequest::new(body.sql.as_str())
    };
    let format = body.format.map_or_else(|| accepted(&headers), Ok)?;
    let asking = Asking { app: &app, caller: &caller, headers: &headers, named: &body.sql };
    asking.ask(request).await?.respond(format).await
}

/// `GET /v1/costs`: what was spent, by any columns and time.
#[utoipa::path(
    get, path = "/v1/costs", operation_id = "costs", tag = "questions",
    responses((status = 200, response = super::openapi::RowsResponse)),
    params(
        super::openapi::CostTerms, super::openapi::NarrowTerms, super::openapi::PageTerms,
        super::openapi::QueryIdHeader
    )
)]
pub async fn costs(
    MayAsk(caller): MayAsk,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    UrlTerms(mut terms): UrlTerms,
) -> Result<Response, Problem> {
    let format = format_of(&mut terms, &headers)?;
    let page = Page::take(&mut terms, "costs", app.state.clock.now())?;
    let request = CostsRequest::read(terms)?.to_sql().map_err(|error| refused(&error))?;
    let asking = Asking { app: &app, caller: &caller, headers: &headers, named: "costs" };
    paged(asking, request, page, format).await
}

/// `GET /v1/anomalies`: the latest revision of each incident, newest first.
#[utoipa::path(
    get, path = "/v1/anomalies", operation_id = "anomalies", tag = "questions",
    responses((status = 200, response = super::openapi::RowsResponse)),
    params(
        ("since" = Option<String>, Query, description = "Only incidents that ended after this: an \
            RFC 3339 time or a day."),
        super::openapi::PageTerms, super::openapi::QueryIdHeader
    )
)]
pub async fn anomalies(
    MayAsk(caller): MayAsk,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    UrlTerms(terms): UrlTerms,
) -> Result<Response, Problem> {
    named(&app, Asking { app: &app, caller: &caller, headers: &headers, named: "anomalies" }, terms)
        .await
}

/// A question of `sql/`.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuestionView {
    /// Its name.
    name: &'static str,
    /// What it asks.
    question: String,
    /// What it takes.
    parameters: Vec<Parameter>,
    /// What its answer has.
    columns: Vec<ColumnNote>,
    /// The statement, as `POST /v1/sql` and any engine over the same tables takes it.
    sql: &'static str,
}

/// `GET /v1/questions`: the questions that have a name.
#[utoipa::path(
    get, path = "/v1/questions", operation_id = "list_questions", tag = "questions",
    responses((status = 200, description = "Every question.", body = Vec<QuestionView>))
)]
pub async fn list(_: MayAsk) -> Json<Vec<QuestionView>> {
    let views = QUESTIONS.iter().map(|question| QuestionView {
        name: question.name,
        question: question.asks(),
        parameters: question.parameters(),
        columns: question.columns(),
        sql: question.sql,
    });
    Json(views.collect())
}

/// `GET /v1/questions/{name}`: the answer to one of them. Its parameters are terms of the URL;
/// `from`, `to` and `filter.COLUMN` narrow it where it is about calls or dead letters.
#[utoipa::path(
    get, path = "/v1/questions/{name}", operation_id = "ask_question", tag = "questions",
    responses((status = 200, response = super::openapi::RowsResponse)),
    params(
        ("name" = String, Path, description = "A name that `/v1/questions` lists."),
        super::openapi::NarrowTerms, super::openapi::PageTerms, super::openapi::QueryIdHeader
    )
)]
pub async fn question(
    MayAsk(caller): MayAsk,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(name): Path<String>,
    UrlTerms(terms): UrlTerms,
) -> Result<Response, Problem> {
    named(&app, Asking { app: &app, caller: &caller, headers: &headers, named: &name }, terms).await
}

/// The question that `asking` names.
pub(super) async fn named(
    app: &App,
    asking: Asking<'_>,
    mut terms: Terms,
) -> Result<Response, Problem> {
    let question = Question::named(asking.named).ok_or_else(|| {
        let detail = "there is no such question: `/v1/questions` lists them";
        Problem::new(ProblemKind::NotFound, detail)
    })?;
    let format = format_of(&mut terms, asking.headers)?;
    let page = Page::take(&mut terms, question.name, app.state.clock.now())?;
    let asked = question.asked(terms, page.now)?;
    let request = asked.to_sql().map_err(|error| refused(&error))?;
    paged(asking, request, page, format).await
}

async fn paged(
    asking: Asking<'_>,
    request: SqlRequest,
    page: Page,
    format: Format,
) -> Result<Response, Problem> {
    let mut given = asking.ask(page.of(request)).await?;
    page.mark(&mut given.answer);
    given.respond(format).await
}
