//! HTTP: front doors for events, questions about their cost, and what operators need.
//!
//! In: requests. Out: envelopes on the event log, answers, `application/problem+json`. Handlers are
//! thin: they extract, make one call and map. Nothing here logs a body, a query string or a key.

mod answering;
mod audit;
mod auth;
mod config;
mod error;
mod health;
mod ingest;
mod key_routes;
pub mod keys;
mod limits;
mod listen;
mod metrics;
mod openapi;
mod paging;
mod price_routes;
mod price_views;
mod problem;
mod quality;
mod questions;
mod replay_routes;
mod request;
mod revision_routes;
mod router;
mod running;
mod serve;
mod state;
mod terms;

pub(crate) use answering::{refused, request_of};
pub(crate) use audit::Audit;
pub(crate) use auth::Caller;
pub use config::ApiConfig;
pub use error::ApiError;
pub use key_routes::{KeyRequest, KeyView};
pub(crate) use limits::Place;
pub(crate) use listen::{Connection, Limited};
pub use listen::{bind, check_listen};
pub use metrics::ApiMetrics;
pub(crate) use metrics::Protocol;
pub use problem::{Problem, ProblemKind};
pub use replay_routes::{LETTERS, Refused, ReplayReport, ReplayRequest};
pub use revision_routes::{Revisions, RollbackReport, RollbackRequest};
pub(crate) use running::Begun;
pub use serve::serve;
pub use state::{ApiState, App, ReadyCheck};

#[cfg(test)]
pub(crate) mod tests;
