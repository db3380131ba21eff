//! The table of dialects, and which of them an event's counters follow.
//!
//! A dialect is a property of whoever wrote the counters (a vendor's API, a gateway that normalizes
//! them), not of the vendor. One file each in `dialects/`, one line each in [`DIALECTS`], whose
//! order decides where the shape of the counters has to tell.

use std::collections::BTreeSet;

use super::block::Block;
use super::dialects::DIALECTS;
use super::reading::{Reading, Units};
use super::response::last_value_wins;
use crate::event::{CallEvent, Json, Rejection, RejectionCode};

/// APIs whose counters mean something else than text tokens, even where the shape looks alike: only
/// a dialect of that API may read them.
const OTHER_MEDIA: [&str; 9] =
    ["images", "audio", "realtime", "live", "video", "ocr", "rerank", "speech", "apply_guardrail"];

/// What most dialects share: cumulative streams, no units from the context, a shape that others
/// have too.
pub(super) const PLAIN: Dialect = Dialect {
    name: "",
    providers: &[],
    apis: &[],
    fits: |_| false,
    tells: |_| false,
    update: last_value_wins,
    is_cut_short: |_| false,
    read: |_, _| Ok(Reading::default()),
    units: |_| Ok(Vec::new()),
};

/// How one writer's counters are read.
pub(super) struct Dialect {
    /// `provider/api`, as `usage_dialect` names it.
    pub name: &'static str,
    /// The providers that answer in it.
    pub providers: &'static [&'static str],
    /// Those of their APIs that do.
    pub apis: &'static [&'static str],
    /// Whether these fields can be its counters.
    pub fits: fn(&Fields) -> bool,
    /// Whether these fields can only be its counters.
    pub tells: fn(&Fields) -> bool,
    /// Applies a later block of the same response to what earlier ones said.
    pub update: fn(&mut Json, &Json),
    /// Whether the events of a stream, by kind, show that its end is missing.
    pub is_cut_short: fn(&[&str]) -> bool,
    /// Reads one response's block.
    pub read: fn(&Block, &CallEvent) -> Result<Reading, Rejection>,
    /// Units that the call's context tells, once per event.
    pub units: fn(&CallEvent) -> Result<Units, Rejection>,
}

impl Dialect {
    /// Who says what a call cost when its counters do: the one who wrote them.
    pub fn reporter<'a>(&self, event: &'a CallEvent) -> &'a str {
        match self.name.split_once('/') {
            Some((writer, _)) if writer != "openai_compatible" => writer,
            _ => &event.provider,
        }
    }
}

/// The names of the fields that an event's usage blocks have.
pub(super) struct Fields<'a>(pub BTreeSet<&'a str>);

impl Fields<'_> {
    /// Whether any of these is there.
    pub fn any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.0.contains(name))
    }
}

/// The dialect of an event's counters, and whether it had to be inferred.
///
/// `usage_dialect` decides where it is given, by a dialect's name or by that of its provider; else
/// the provider and its API; else, inferred, another dialect of that provider; else, inferred, the
/// shape of the counters.
pub(super) fn choose(
    event: &CallEvent,
    fields: &Fields,
) -> Result<(&'static Dialect, bool), Rejection> {
    if let Some(named) = &event.usage_dialect {
        return Ok((named_dialect(named, event, fields)?, false));
    }
    if let Some(dialect) = by_api(event).find(|dialect| (dialect.fits)(fields)) {
        return Ok((dialect, false));
    }
    let api = api_name(event);
    if is_other_medium(&api) {
        let of_api = DIALECTS.into_iter().filter(|dialect| dialect.apis.contains(&api.as_str()));
        let dialect = of_api.into_iter().find(|dialect| (dialect.fits)(fields));
        let unknown = || unsupported("no dialect is known for the counters of this `api`");
        return dialect.map(|dialect| (dialect, true)).ok_or_else(unknown);
    }
    let of_text = |dialect: &&Dialect| !dialect.apis.iter().all(|api| is_other_medium(api));
    let of_provider = DIALECTS.into_iter().filter(of_text).filter(|dialect| serves(dialect, event));
    let by_shape = DIALECTS.into_iter().filter(|dialect| (dialect.tells)(fields));
    let inferred = of_provider.filter(|dialect| (dialect.fits)(fields)).chain(by_shape).next();
    inferred.map(|dialect| (dialect, true)).ok_or_else(|| {
        unsupported("no dialect is known for `provider` and `api`, and none for these counters")
    })
}

/// The dialect that an event names by itself, whatever its counters look like.
pub(super) fn declared(event: &CallEvent) -> Option<&'static Dialect> {
    match &event.usage_dialect {
        Some(named) => named_dialects(named).next(),
        None => by_api(event).next(),
    }
}

fn is_other_medium(api: &str) -> bool {
    OTHER_MEDIA.iter().any(|media| api.starts_with(media))
}

fn by_api(event: &CallEvent) -> impl Iterator<Item = &'static Dialect> {
    let api = api_name(event);
    let of_provider = DIALECTS.into_iter().filter(move |dialect| serves(dialect, event));
    of_provider.filter(move |dialect| dialect.apis.contains(&api.as_str()))
}

fn named_dialect(
    named: &str,
    event: &CallEvent,
    fields: &Fields,
) -> Result<&'static Dialect, Rejection> {
    if named_dialects(named).next().is_none() {
        let message = "`usage_dialect` names no known dialect: leave it out to have it inferred";
        return Err(unsupported(message));
    }
    let api = api_name(event);
    let fitting = || named_dialects(named).filter(|dialect| (dialect.fits)(fields));
    let of_api = fitting().find(|dialect| dialect.apis.contains(&api.as_str()));
    of_api
        .or_else(|| fitting().next())
        .ok_or_else(|| unsupported("`usage` has none of the counters of its `usage_dialect`"))
}

fn named_dialects(named: &str) -> impl Iterator<Item = &'static Dialect> {
    let named = named.to_lowercase();
    DIALECTS.into_iter().filter(move |dialect| {
        let name = dialect.name.to_lowercase();
        name == named || name.split_once('/').is_some_and(|(provider, _)| provider == named)
    })
}

fn serves(dialect: &Dialect, event: &CallEvent) -> bool {
    dialect.providers.contains(&event.provider.to_lowercase().as_str())
}

/// `chat.completions` for `v1/chat/completions` and for `chat.completions.stream`.
fn api_name(event: &CallEvent) -> String {
    let api = event.api.as_deref().unwrap_or_default().trim_matches('/').replace('/', ".");
    let api = api.strip_prefix("v1.").unwrap_or(&api);
    api.strip_suffix(".stream").unwrap_or(api).to_owned()
}

fn unsupported(message: impl Into<String>) -> Rejection {
    Rejection::new(RejectionCode::UnsupportedDialect, message)
}
