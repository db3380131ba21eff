//! The front doors: one wire format each.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};

use super::accept::accept;
use super::delivery::{Delivery, NDJSON, media_type};
use super::receipt::Receipt;
use crate::api::problem::{Problem, ProblemKind};
use crate::api::state::App;
use crate::event::{CallEvent, Undecoded};

/// One wire format: its name in metrics, and how its events are read.
pub struct Door {
    /// The name.
    pub name: &'static str,
    /// Reads one event.
    pub decode: fn(&[u8]) -> Result<CallEvent, Box<Undecoded>>,
}

static EVENTS: Door = Door { name: "events", decode: crate::event::read_call_event };
static LITELLM: Door = Door { name: "litellm", decode: crate::event::read_litellm };

type Taken = Result<(StatusCode, Json<Receipt>), Problem>;

/// `POST /v1/events`: our own event; one object, an array or NDJSON. Where the content type says
/// NDJSON, every line is an event, however broken.
#[utoipa::path(
    post, path = "/v1/events", operation_id = "send_events", tag = "ingest",
    request_body(
        description = "One event, a list of them, or one a line: `schemas/call_event.v1.json`.",
        content((Object = "application/json"), (String = "application/x-ndjson"))
    ),
    params(("max_age" = Option<String>, Query, description = "For administrators: how old events \
        may be, such as `90d`.")),
    responses((status = 202, description = "The events are durable.", body = Receipt))
)]
pub async fn events(State(app): State<Arc<App>>, headers: HeaderMap, delivery: Delivery) -> Taken {
    check_type(&headers)?;
    let receipt = accept(&app, &EVENTS, delivery).await?;
    Ok((StatusCode::ACCEPTED, Json(receipt)))
}

/// `POST /v1/litellm`: what LiteLLM's `generic_api` callback sends; it always says
/// `application/json`, so the body alone tells an object, an array and NDJSON apart.
#[utoipa::path(
    post, path = "/v1/litellm", operation_id = "send_litellm", tag = "ingest",
    request_body(
        description = "What LiteLLM's `generic_api` callback sends.",
        content = Object, content_type = "application/json"
    ),
    params(("max_age" = Option<String>, Query, description = "For administrators: how old events \
        may be, such as `90d`.")),
    responses((status = 202, description = "The events are durable.", body = Receipt))
)]
pub async fn litellm(State(app): State<Arc<App>>, delivery: Delivery) -> Taken {
    let receipt = accept(&app, &LITELLM, delivery).await?;
    Ok((StatusCode::ACCEPTED, Json(receipt)))
}

/// Refuses what is not ours rather than misreading it.
fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let refuse = |detail: &str| Err(Problem::new(ProblemKind::UnsupportedMediaType, detail));
    let media_type = media_type(headers);
    if headers.contains_key("ce-specversion")
        || media_type.is_some_and(|name| name.starts_with("application/cloudevents"))
    {
        return refuse("CloudEvents are not taken yet: send call events as `application/json`");
    }
    match media_type {
        None | Some("application/json") => Ok(()),
        Some(name) if NDJSON.contains(&name) => Ok(()),
        _ => refuse("send `application/json` or `application/x-ndjson`"),
    }
}
