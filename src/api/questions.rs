//! Questions over HTTP: SQL, costs, anomalies, prices.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};

use super::audit::Audit;
use super::auth::{Caller, MayAsk, Tenants};
use super::problem::{Problem, ProblemKind};
use super::running::QUERY_ID;
use super::state::App;
use crate::query::{
    self, CostsRequest, Format, Interval, QueryEngine, QueryError, Scope, SqlRequest,
};
use crate::time::Timestamp;

/// The latest revision of each incident.
const ANOMALIES: &str = include_str!("../../sql/anomalies.sql");

/// The body of `POST /v1/sql`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqlBody {
    sql: String,
    #[serde(default)]
    params: Vec<Value>,
    format: Option<Format>,
    limit: Option<usize>,
    timeout_ms: Option<u64>,
}

/// `POST /v1/sql`: one reading statement.
pub async fn sql(
    MayAsk(caller): MayAsk,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Result<Json<SqlBody>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(body) =
        body.map_err(|why| Problem::new(ProblemKind::InvalidRequest, why.body_text()))?;
    let parameters: Result<Vec<_>, String> = body.params.iter().map(query::parameter).collect();
    let request = SqlRequest {
        sql: body.sql,
        parameters: parameters.map_err(|why| Problem::new(ProblemKind::InvalidRequest, why))?,
        limit: body.limit,
        timeout: body.timeout_ms.map(std::time::Duration::from_millis),
        ..request_of(&caller, "")
    };
    let format = body.format.or_else(|| accepted(&headers)).unwrap_or_default();
    let named = request.sql.clone();
    answered(&app, &caller, request, (format, &named, &headers)).await
}

/// `GET /v1/costs`: what was spent, by any columns.
pub async fn costs(
    MayAsk(caller): MayAsk,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(mut terms): Query<BTreeMap<String, String>>,
) -> Result<Response, Problem> {
    let format = format_of(&mut terms, &headers)?;
    let request = costs_request(terms, scope(&caller))?;
    let sql = request.to_sql().map_err(|error| refused(&error))?;
    let request = SqlRequest { asker: asker(&caller), ..sql };
    answered(&app, &caller, request, (format, "costs", &headers)).await
}

fn costs_request(
    mut terms: BTreeMap<String, String>,
    scope: Scope,
) -> Result<CostsRequest, Problem> {
    let groups = terms.remove("group_by").unwrap_or_default();
    let interval = match terms.remove("interval").as_deref() {
        None => Interval::None,
        Some("hour") => Interval::Hour,
        Some("day") => Interval::Day,
        Some("month") => Interval::Month,
        Some(_) => return Err(invalid("`interval`: expected hour, day or month")),
    };
    let (from, to) = (instant(&mut terms, "from")?, instant(&mut terms, "to")?);
    let mut filters = BTreeMap::new();
    for (name, value) in terms {
        let Some(column) = name.strip_prefix("filter.") else {
            let known = "expected group_by, interval, from, to, format or filter.COLUMN";
            return Err(invalid(format!("`{name}`: {known}")));
        };
        filters.insert(column.to_owned(), value);
    }
    let group_by = groups.split(',').map(str::trim).filter(|name| !name.is_empty());
    let group_by = group_by.map(str::to_owned).collect();
    Ok(CostsRequest { group_by, interval, from, to, filters, scope })
}

/// `GET /v1/anomalies`: the latest revision of each incident.
pub async fn anomalies(
    MayAsk(caller): MayAsk,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(mut terms): Query<BTreeMap<String, String>>,
) -> Result<Response, Problem> {
    let format = format_of(&mut terms, &headers)?;
    let since = instant(&mut terms, "since")?.unwrap_or(Timestamp::EPOCH);
    let request =
        SqlRequest { parameters: vec![since.to_string().into()], ..request_of(&caller, ANOMALIES) };
    answered(&app, &caller, request, (format, "anomalies", &headers)).await
}

/// `GET /v1/prices`: the rows of the book in force that hold at a time.
pub async fn prices(
    MayAsk(caller): MayAsk,
    State(app): State<Arc<App>>,
    Query(mut terms): Query<BTreeMap<String, String>>,
) -> Result<Json<Value>, Problem> {
    let at = instant(&mut terms, "at")?.unwrap_or_else(|| app.state.clock.now());
    let model = terms.remove("model");
    let books = app.state.books.as_ref();
    let book = books.ok_or_else(|| Problem::new(ProblemKind::NotFound, "no price book"))?.current();
    let sees = |tenant: &Option<String>| match (tenant, &caller.tenants) {
        (None, _) | (_, Tenants::All) => true,
        (Some(tenant), Tenants::Only(own)) => own.contains(tenant),
    };
    let rows = book.rows().filter(|row| {
        row.effective_from.is_none_or(|from| from <= at)
            && row.effective_to.is_none_or(|to| at < to)
            && model.as_ref().is_none_or(|model| *model == row.model)
            && sees(&row.tenant)
    });
    let rows: Vec<Value> = rows
        .map(|row| {
            json!({
                "provider": row.provider, "model": row.model, "kind": row.row_kind,
                "unit_class": row.unit_class, "service_tier": row.service_tier,
                "amount": row.amount, "per": row.per, "currency": row.currency,
                "conditions": row.conditions, "tenant": row.tenant, "layer": row.layer,
                "effective_from": row.effective_from.map(|at| at.to_string()),
                "effective_to": row.effective_to.map(|at| at.to_string()),
                "source_url": row.source_url,
            })
        })
        .collect();
    Ok(Json(json!({"price_book_version": book.version(), "at": at.to_string(), "rows": rows})))
}

/// A statement, asked by a caller.
pub(crate) fn request_of(caller: &Caller, sql: &str) -> SqlRequest {
    SqlRequest { scope: scope(caller), asker: asker(caller), ..SqlRequest::new(sql) }
}

fn asker(caller: &Caller) -> String {
    caller.key_id.clone().unwrap_or_else(|| caller.sender.namespace.clone())
}

fn scope(caller: &Caller) -> Scope {
    match &caller.tenants {
        Tenants::All => Scope::All,
        Tenants::Only(tenants) => Scope::Tenants(tenants.iter().cloned().collect()),
    }
}

fn engine(app: &App) -> Result<&QueryEngine, Problem> {
    let engine = app.state.engine.as_deref();
    engine.ok_or_else(|| Problem::new(ProblemKind::NotFound, "this instance answers no questions"))
}

/// The answer to a question: in a format, under the name that logs and lists have for it, and to
/// the request of these headers.
async fn answered(
    app: &App,
    caller: &Caller,
    request: SqlRequest,
    (format, named, headers): (Format, &str, &HeaderMap),
) -> Result<Response, Problem> {
    let begun = app.running.begin(caller, named, headers, app.state.clock.now())?;
    let request = SqlRequest { cancel: begun.cancel.clone(), ..request };
    let mut audit = Audit::of(caller, named);
    let mut answer = engine(app)?.ask(&request).await.map_err(|error| {
        audit.refused(&error);
        refused(&error)
    })?;
    audit.answered(&answer);
    let versions: Vec<String> =
        answer.versions.iter().map(|(table, at)| format!("{}={at}", table.name())).collect();
    let mut told = vec![(QUERY_ID, begun.id.to_string()), ("x-table-versions", versions.join(","))];
    let mut response = if format == Format::Ndjson {
        let lines = query::ndjson(answer).await.map_err(|error| refused(&error))?;
        // The account is closed with the last line, or when nobody reads on.
        let lines = lines.map(move |line| {
            let _open = (&audit, &begun);
            Ok::<_, Infallible>(line)
        });
        Body::from_stream(lines).into_response()
    } else {
        let body = query::encode(&mut answer, format).await.map_err(|error| refused(&error))?;
        told.push(("x-truncated", answer.truncated().to_string()));
        body.into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    for (name, value) in told {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    Ok(response)
}

/// The problem that a failed question is.
pub(crate) fn refused(error: &QueryError) -> Problem {
    let kind = match error {
        QueryError::Invalid(_) | QueryError::NotReadOnly(_) => ProblemKind::QueryRefused,
        QueryError::UnknownName(_) => ProblemKind::InvalidRequest,
        QueryError::Timeout(_) | QueryError::TooLarge(_) => ProblemKind::QueryLimit,
        QueryError::Failed(_) => ProblemKind::QueryFailed,
        QueryError::Cancelled => ProblemKind::QueryCancelled,
        QueryError::Unavailable(why) => {
            tracing::warn!(error = %why, "a question could not be answered");
            ProblemKind::Unavailable
        }
        QueryError::Internal(why) => {
            tracing::error!(error = %why, "a question could not be answered");
            return Problem::new(ProblemKind::Internal, "the fault is ours; it was logged");
        }
    };
    Problem::new(kind, error.to_string())
}

/// The format of the query string, else of the `Accept` header.
fn format_of(terms: &mut BTreeMap<String, String>, headers: &HeaderMap) -> Result<Format, Problem> {
    let Some(name) = terms.remove("format") else {
        return Ok(accepted(headers).unwrap_or_default());
    };
    Format::named(&name)
        .ok_or_else(|| invalid("`format`: expected json, ndjson, csv, arrow or parquet"))
}

fn accepted(headers: &HeaderMap) -> Option<Format> {
    let accept = headers.get(header::ACCEPT)?.to_str().ok()?;
    [
        ("ndjson", Format::Ndjson),
        ("text/csv", Format::Csv),
        ("apache.arrow", Format::Arrow),
        ("apache.parquet", Format::Parquet),
        ("json", Format::Json),
    ]
    .into_iter()
    .find(|(name, _)| accept.contains(name))
    .map(|(_, format)| format)
}

fn instant(terms: &mut BTreeMap<String, String>, name: &str) -> Result<Option<Timestamp>, Problem> {
    let text = terms.remove(name);
    let read = text.map(|text| text.parse::<Timestamp>()).transpose();
    read.map_err(|error| invalid(format!("`{name}`: {error}")))
}

fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemKind::InvalidRequest, detail)
}
