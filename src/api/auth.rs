//! Who is asking: from a request's headers to a [`Caller`] that may do what the route is for.
//!
//! A key comes as `Authorization: Bearer` or `X-API-Key`. Without any key ever made, a server on a
//! loopback address takes everyone on this machine for its owner; but not what a web page in a
//! browser, or a proxy in front, sends on.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::keys::{KeyRefusal, KeyScope, LOCAL};
use super::problem::{Problem, ProblemKind};
use super::state::App;
use crate::attribution::Sender;

const API_KEY: &str = "x-api-key";

/// Whose rows a caller may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tenants {
    /// Everyone's, and the tables that belong to no tenant.
    All,
    /// These tenants' only.
    Only(BTreeSet<String>),
}

/// Whoever sent a request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Namespace and assertions for the events it sends.
    pub sender: Sender,
    /// What it may do.
    pub scopes: BTreeSet<KeyScope>,
    /// Whose rows it may read.
    pub tenants: Tenants,
    /// Its key; `None`: it has none.
    pub key_id: Option<String>,
}

impl Caller {
    /// Whoever uses a machine's own loopback server before the first key was made.
    pub(crate) fn local() -> Self {
        let namespace = LOCAL.to_owned();
        let sender = Sender { namespace, claims_allowed: true, ..Sender::default() };
        let scopes = [KeyScope::Ingest, KeyScope::Query, KeyScope::Admin].into();
        Self { sender, scopes, tenants: Tenants::All, key_id: None }
    }

    /// Whether the caller may do that.
    pub fn has(&self, scope: KeyScope) -> bool {
        self.scopes.contains(&scope)
    }

    fn identify(app: &App, headers: &HeaderMap) -> Result<Self, Problem> {
        let refuse = |detail: String| Problem::new(ProblemKind::Unauthenticated, detail);
        let Some(text) = key_of(headers) else {
            if app.state.keys.is_empty() && app.state.config.listen.ip().is_loopback() {
                return from_this_machine(headers).map(|()| Self::local());
            }
            let how = "send an API key as `Authorization: Bearer KEY` or `X-API-Key: KEY`";
            return Err(refuse(how.to_owned()));
        };
        Self::holding(app, text).map_err(|why| refuse(why.to_string()))
    }

    /// Whoever holds a key.
    pub(crate) fn holding(app: &App, text: &str) -> Result<Self, KeyRefusal> {
        let record = app.state.keys.admit(text)?;
        let (key_id, terms) = (Some(record.key_id), record.terms);
        let sender = Sender {
            namespace: terms.owner,
            asserted: terms.asserted,
            claims_allowed: terms.claims_allowed,
        };
        let admin = terms.scopes.contains(&KeyScope::Admin);
        let tenants = if admin { Tenants::All } else { Tenants::Only(terms.tenants) };
        Ok(Self { sender, scopes: terms.scopes, tenants, key_id })
    }

    /// The caller, if it may ask.
    pub(crate) fn that_may_ask(self) -> Result<Self, Problem> {
        self.allowed(&[KeyScope::Query, KeyScope::Admin])
    }

    fn allowed(self, wanted: &[KeyScope]) -> Result<Self, Problem> {
        if wanted.iter().any(|scope| self.has(*scope)) {
            return Ok(self);
        }
        let names: Vec<_> = wanted.iter().map(|scope| format!("`{}`", scope.name())).collect();
        let detail = format!("this needs a key with the scope {}", names.join(" or "));
        Err(Problem::new(ProblemKind::Forbidden, detail))
    }
}

/// A caller that may send events.
pub struct MaySend(pub Caller);

/// A caller that may ask.
pub struct MayAsk(pub Caller);

/// A caller that may manage keys and revise rows.
pub struct MayManage(pub Caller);

impl FromRequestParts<Arc<App>> for MaySend {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        Caller::identify(app, &parts.headers)?.allowed(&[KeyScope::Ingest]).map(Self)
    }
}

impl FromRequestParts<Arc<App>> for MayAsk {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        Caller::identify(app, &parts.headers)?.that_may_ask().map(Self)
    }
}

impl FromRequestParts<Arc<App>> for MayManage {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        Caller::identify(app, &parts.headers)?.allowed(&[KeyScope::Admin]).map(Self)
    }
}

fn key_of(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text(header::AUTHORIZATION.as_str()).and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    bearer.or_else(|| text(API_KEY))
}

/// Refuses what came through a browser's page or a proxy under another name.
fn from_this_machine(headers: &HeaderMap) -> Result<(), Problem> {
    let host = headers.get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    if headers.contains_key(header::ORIGIN) || !host.is_none_or(is_loopback_name) {
        let detail = "a server without API keys answers its own machine only: make a key first \
                      with `tokenmeter keys create`";
        return Err(Problem::new(ProblemKind::Unauthenticated, detail));
    }
    Ok(())
}

fn is_loopback_name(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
