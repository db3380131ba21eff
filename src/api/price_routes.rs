//! Prices over HTTP: the rows of the book in force, and how a call's cost came about.
//!
//! A tenant sees list rows and its own contract rows, and its own calls; in what it is answered
//! nothing depends on others. The version of the whole book, which does, is in a header.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::answering::{Asking, refused};
use super::auth::{Caller, MayAsk, Tenants};
use super::paging::Page;
use super::price_views::{CallView, ExplainedView, ModelPricesView, PriceRowView, PricesView};
use super::problem::{Problem, ProblemKind};
use super::state::App;
use super::terms::{UrlTerms, invalid};
use crate::pricing::{Listing, PriceBook};
use crate::query::{SqlRequest, Terms, instant_in};
use crate::revision;
use crate::time::Timestamp;

/// The header with the version of the whole book.
const BOOK_VERSION: &str = "x-price-book-version";
/// The rows of a page that names no limit.
const ROWS_DEFAULT: usize = 10_000;

/// `GET /v1/prices`: the rows of the book in force that hold at a time.
#[utoipa::path(
    get, path = "/v1/prices", operation_id = "prices", tag = "prices",
    responses((status = 200, description = "List rows, and one's own contract rows.",
        body = PricesView)),
    params(
        ("at" = Option<String>, Query, description = "An RFC 3339 time or a day; without it, now."),
        ("model" = Option<String>, Query, description = "Rows of this model only, as books name \
            it."),
        ("provider" = Option<String>, Query, description = "Rows of this provider only."),
        ("limit" = Option<usize>, Query, description = "The most rows of a page."),
        ("page_token" = Option<String>, Query, description = "The next page, as an answer named \
            it.")
    )
)]
pub async fn prices(
    MayAsk(caller): MayAsk,
    State(app): State<Arc<App>>,
    UrlTerms(mut terms): UrlTerms,
) -> Result<Response, Problem> {
    let book = book(&app)?;
    let sees = |tenant: Option<&str>| sees(&caller, tenant);
    // Pages are of one book, as far as it is seen.
    let seen: Vec<Listing> = book.rows().filter(|row| sees(row.tenant.as_deref())).collect();
    let page = Page::take(&mut terms, &hash(&seen), app.state.clock.now())?;
    let at = at(&mut terms, page.now)?;
    let (model, provider) = (terms.remove("model"), terms.remove("provider"));
    nothing_left(&terms, "at, model, provider, limit or page_token")?;
    let mut rows = seen.iter().filter(|row| {
        row.effective_from.is_none_or(|from| from <= at)
            && row.effective_to.is_none_or(|to| at < to)
            && model.as_ref().is_none_or(|model| *model == row.model)
            && provider.as_ref().is_none_or(|provider| *provider == row.provider)
    });
    let limit = page.limit.unwrap_or(ROWS_DEFAULT).min(ROWS_DEFAULT);
    let shown: Vec<PriceRowView> =
        rows.by_ref().skip(page.offset).take(limit).map(PriceRowView::of).collect();
    let has_more = rows.next().is_some();
    let page_token = has_more.then(|| page.after(shown.len(), ""));
    let view = PricesView { at: at.to_string(), rows: shown, has_more, page_token };
    Ok(with_version(Json(view).into_response(), &book))
}

/// `GET /v1/prices/explain`: how the cost of a call came about, or which rows price a model.
#[utoipa::path(
    get, path = "/v1/prices/explain", operation_id = "explain_price", tag = "prices",
    responses((status = 200, description = "Rows, formulas and every factor.",
        body = ExplainedView)),
    params(
        ("event_id" = Option<String>, Query, description = "The event id of a stored call."),
        ("namespace" = Option<String>, Query, description = "Whose event ids are meant, where \
            several have this one."),
        ("source" = Option<String>, Query, description = "Which sender's call is meant."),
        ("model" = Option<String>, Query, description = "A model, as books name it, in place of \
            a call."),
        ("provider" = Option<String>, Query, description = "The model's provider; without it, \
            every one that has such a model."),
        ("at" = Option<String>, Query, description = "When, for a model: an RFC 3339 time or a \
            day; without it, now.")
    )
)]
pub async fn explain(
    MayAsk(caller): MayAsk,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    UrlTerms(mut terms): UrlTerms,
) -> Result<Response, Problem> {
    let book = book(&app)?;
    let (event_id, model) = (terms.remove("event_id"), terms.remove("model"));
    let view = match (event_id, model) {
        (Some(event_id), None) => {
            let asking =
                Asking { app: &app, caller: &caller, headers: &headers, named: "prices_explain" };
            explain_call(asking, event_id, terms, &book).await?
        }
        (None, Some(model)) => explain_model(&app, &caller, &model, terms, &book)?,
        _ => return Err(invalid("name a call by `event_id`, or a model by `model`")),
    };
    Ok(with_version(Json(view).into_response(), &book))
}

async fn explain_call(
    asking: Asking<'_>,
    event_id: String,
    mut terms: Terms,
    book: &PriceBook,
) -> Result<ExplainedView, Problem> {
    let mut text = |name: &str| terms.remove(name).unwrap_or_default();
    let parameters = vec![
        event_id.as_str().into(),
        text("namespace").as_str().into(),
        text("source").as_str().into(),
    ];
    nothing_left(&terms, "event_id, namespace or source")?;
    let request = SqlRequest { parameters, ..SqlRequest::new(revision::CALL) };
    let mut given = asking.ask(request).await?;
    let batches = given.answer.collect().await.map_err(|error| refused(&error))?;
    let mut calls = Vec::new();
    for batch in &batches {
        calls.extend(revision::explained(batch, book)?);
    }
    if calls.is_empty() {
        let detail = "no call that you may see has this event id";
        return Err(Problem::new(ProblemKind::NotFound, detail));
    }
    let calls = calls.iter().map(CallView::of).collect();
    Ok(ExplainedView { calls: Some(calls), models: None })
}

fn explain_model(
    app: &App,
    caller: &Caller,
    model: &str,
    mut terms: Terms,
    book: &PriceBook,
) -> Result<ExplainedView, Problem> {
    let at = at(&mut terms, app.state.clock.now())?;
    let providers = match terms.remove("provider") {
        Some(provider) => vec![provider],
        None => book.providers_of(model),
    };
    nothing_left(&terms, "model, provider or at")?;
    let sees = |tenant: Option<&str>| sees(caller, tenant);
    let prices = |provider: &String| book.model_prices(provider, model, at, &sees);
    let models: Vec<_> = providers.iter().filter_map(prices).collect();
    if models.is_empty() {
        let detail = "no provider has prices of this model that you may see";
        return Err(Problem::new(ProblemKind::NotFound, detail));
    }
    let models = models.iter().map(|prices| ModelPricesView::of(prices, at)).collect();
    Ok(ExplainedView { calls: None, models: Some(models) })
}

fn book(app: &App) -> Result<Arc<PriceBook>, Problem> {
    let books = app.state.books.as_ref();
    let none = || Problem::new(ProblemKind::NotFound, "this instance has no price book");
    Ok(books.ok_or_else(none)?.current())
}

fn sees(caller: &Caller, tenant: Option<&str>) -> bool {
    match (tenant, &caller.tenants) {
        (None, _) | (_, Tenants::All) => true,
        (Some(tenant), Tenants::Only(own)) => own.contains(tenant),
    }
}

fn at(terms: &mut Terms, now: Timestamp) -> Result<Timestamp, Problem> {
    let read = terms.remove("at").map(|text| instant_in(&text, None)).transpose();
    Ok(read.map_err(|why| invalid(format!("`at`: {why}")))?.unwrap_or(now))
}

fn nothing_left(terms: &Terms, expected: &str) -> Result<(), Problem> {
    match terms.keys().next() {
        None => Ok(()),
        Some(name) => {
            let name: String = name.chars().take(64).collect();
            Err(invalid(format!("`{name}`: expected {expected}")))
        }
    }
}

fn hash(rows: &[Listing]) -> String {
    let mut hash = Sha256::new();
    rows.iter().for_each(|row| {
        let amount = row.amount.as_deref().unwrap_or_default();
        let until = row.effective_to.map_or(0, Timestamp::micros);
        hash.update(format!("{}\u{1f}{amount}\u{1f}{until}\n", row.price_id));
    });
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn with_version(mut response: Response, book: &PriceBook) -> Response {
    if let Ok(version) = HeaderValue::from_str(book.version()) {
        response.headers_mut().insert(HeaderName::from_static(BOOK_VERSION), version);
    }
    response
}
