//! `GET /openapi.json`: every route, described where its handler is.
//!
//! What all routes have in common is added here: how a key is sent, and that whatever goes wrong
//! comes as a problem document. A test compares the document with the router.

use axum::Json;
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder, SecurityRequirement,
    schema::{ObjectBuilder, SchemaType, Type},
};
use utoipa::{IntoParams, Modify, OpenApi, ToResponse, ToSchema};

use super::problem::ProblemDocument;
use super::{
    health, ingest, key_routes, price_routes, quality, questions, replay_routes, revision_routes,
    running,
};

/// The routes that anybody may ask.
const OPEN: [&str; 5] = ["/healthz", "/readyz", "/metrics", "/version", "/openapi.json"];

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "tokenmeter",
        description = "What LLM calls cost, and who spends it. Amounts are decimals in texts, \
            times RFC 3339 in UTC. Under a tenant's key nothing but that tenant's rows is seen, \
            and nothing of the answers depends on others'. Every answer has `X-Request-Id`.",
    ),
    paths(
        health::healthz, health::readyz, health::metrics, health::version, document,
        ingest::doors::events, ingest::doors::litellm,
        questions::sql, questions::costs, questions::anomalies, questions::list,
        questions::question, quality::quality,
        price_routes::prices, price_routes::explain,
        running::list, running::cancel,
        key_routes::list, key_routes::create, key_routes::revoke,
        revision_routes::list, revision_routes::revise, revision_routes::rollback,
        replay_routes::replay,
    ),
    components(
        schemas(ProblemDocument, RowsView, quality::QualityAnswer),
        responses(RowsResponse, QualityResponse)
    ),
    tags(
        (name = "ingest", description = "Events in; 202 once they are durable."),
        (name = "questions", description = "SQL, costs, and the questions of `sql/`."),
        (name = "prices", description = "The price book, and how costs come about."),
        (name = "administration", description = "Keys, revisions, replays: for administrators."),
        (name = "operations", description = "Health, metrics, version.")
    ),
    modifiers(&Common)
)]
struct Document;

/// `GET /openapi.json`: this document.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "openapi", tag = "operations",
    responses((status = 200, description = "OpenAPI 3.1.", body = Value))
)]
pub async fn document() -> Json<Value> {
    Json(described())
}

/// The document as JSON.
pub(super) fn described() -> Value {
    serde_json::to_value(Document::openapi()).unwrap_or_default()
}

/// What all routes have in common.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        if let Some(components) = document.components.as_mut() {
            let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
            let bearer = bearer.description(Some("`Authorization: Bearer KEY`."));
            components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
            let header = ApiKey::Header(ApiKeyValue::new("X-API-Key"));
            components.add_security_scheme("api_key", SecurityScheme::ApiKey(header));
            components.responses.insert("problem".to_owned(), RefOr::T(problem()));
        }
        for (path, item) in &mut document.paths.paths {
            let is_open = OPEN.contains(&path.as_str());
            operations(item).for_each(|operation| describe(operation, is_open));
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let all = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete, &mut item.patch];
    all.into_iter().flatten()
}

fn describe(operation: &mut Operation, is_open: bool) {
    let problem = || RefOr::Ref(Ref::from_response_name("problem"));
    for status in ["4XX", "5XX"] {
        operation.responses.responses.entry(status.to_owned()).or_insert_with(problem);
    }
    if !is_open {
        // One of them; a loopback server without keys asks for none.
        let none = SecurityRequirement::default();
        let named = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
        operation.security = Some(vec![named("bearer"), named("api_key"), none]);
    }
}

fn problem() -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("ProblemDocument")));
    let text = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
    let id = HeaderBuilder::new().schema(text.build());
    let id = id.description(Some("Names the request in the server's log."));
    ResponseBuilder::new()
        .description(
            "RFC 9457: what was wrong, with a stable `code`. 503 comes with `Retry-After`.",
        )
        .content("application/problem+json", content.build())
        .header("X-Request-Id", id.build())
        .build()
}

/// Rows in the wanted format; the document of JSON is described.
pub struct RowsResponse;

impl<'r> ToResponse<'r> for RowsResponse {
    fn response() -> (&'r str, RefOr<Response>) {
        ("rows", RefOr::T(in_every_format("RowsView")))
    }
}

/// All metrics of data quality, or the rows of one.
pub struct QualityResponse;

impl<'r> ToResponse<'r> for QualityResponse {
    fn response() -> (&'r str, RefOr<Response>) {
        ("quality", RefOr::T(in_every_format("QualityAnswer")))
    }
}

/// An answer in every format; its document in JSON has a schema of that name.
fn in_every_format(schema: &str) -> Response {
    let text = || ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).build();
    let mut response = ResponseBuilder::new()
        .description("Rows, as JSON, NDJSON, CSV, an Arrow stream or a Parquet file.")
        .content(
            "application/json",
            ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build(),
        );
    for media_type in [
        "application/x-ndjson",
        "text/csv",
        "application/vnd.apache.arrow.stream",
        "application/vnd.apache.parquet",
    ] {
        let content = ContentBuilder::new().schema(Some(text())).build();
        response = response.content(media_type, content);
    }
    for (name, meaning) in [
        ("X-Query-Id", "Names the question: it is listed and cancelled by it."),
        ("X-Table-Versions", "Versions of the tables that were read: `calls=8,dead_letters=3`."),
        ("X-Truncated", "Whether rows were cut off; NDJSON says so in its last line."),
        ("X-Page-Token", "The next page, if any; NDJSON names it in its last line."),
    ] {
        let header = HeaderBuilder::new().schema(text()).description(Some(meaning));
        response = response.header(name, header.build());
    }
    response.build()
}

/// An answer as JSON.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowsView {
    /// The columns.
    columns: Vec<ColumnView>,
    /// A list for each row, with a cell for each column: decimals and times are texts.
    rows: Vec<Vec<Value>>,
    /// Whether rows were cut off.
    truncated: bool,
    /// Of a paged answer: whether there is another page.
    #[serde(skip_serializing_if = "Option::is_none")]
    has_more: Option<bool>,
    /// Of a paged answer: the next page.
    page_token: Option<String>,
    /// For administrators: the versions of the tables that were read.
    #[schema(value_type = Option<std::collections::BTreeMap<String, u64>>)]
    versions: Option<Value>,
}

/// A column of an answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct ColumnView {
    /// Its name.
    name: String,
    /// Its type.
    r#type: String,
}

/// Which calls.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub struct NarrowTerms {
    /// The first instant: RFC 3339, or a day such as `2026-11-23`, which begins by `time_zone`.
    from: Option<String>,
    /// The first instant after: as `from`.
    to: Option<String>,
    /// The IANA name of a time zone, such as `America/New_York`; without it, UTC.
    time_zone: Option<String>,
    /// Only rows with this tenant; likewise `filter.team`, `filter.model` and every other column
    /// that costs can be grouped by. `unattributed` is what nobody is named for.
    #[param(rename = "filter.tenant")]
    filter_tenant: Option<String>,
}

/// How costs are summed up.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub struct CostTerms {
    /// Columns, with commas between them: tenant, team, product, feature, environment, customer,
    /// user_id, business_unit, cost_center, project, api_key, model, priced_model, response_model,
    /// request_model, provider, api, operation, service_tier, region, deployment, source,
    /// namespace, status, error_type, cost_status, usage_status.
    group_by: Option<String>,
    /// How time is cut, by the clocks of `time_zone`.
    #[param(inline)]
    interval: Option<IntervalName>,
}

/// How time is cut.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum IntervalName {
    /// Hours.
    Hour,
    /// Days, of 23 to 25 hours.
    Day,
    /// Weeks, from Monday.
    Week,
    /// Months.
    Month,
}

/// Pages and formats.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub struct PageTerms {
    /// How the answer is written; without it, as `Accept` says.
    #[param(inline)]
    format: Option<crate::query::Format>,
    /// The most rows of a page.
    #[param(minimum = 1)]
    limit: Option<usize>,
    /// The next page, as an answer named it. All pages are of the versions that the first one was
    /// read from, for at least a day.
    page_token: Option<String>,
    /// Versions of tables to be read, as `X-Table-Versions` of an earlier answer named them.
    versions: Option<String>,
}

/// The id of a question.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code)]
pub struct QueryIdHeader {
    /// A UUID by which the question is listed and cancelled; without it, one is made.
    #[param(rename = "X-Query-Id", format = "uuid")]
    x_query_id: Option<String>,
}
