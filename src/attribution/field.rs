//! The fields of an event that rules match and copy, and the columns that they fill.

use super::error::{RulesError, nearest};
use crate::event::{CallEvent, Who};

/// Fields that are neither columns nor tags.
const OTHERS: [&str; 9] = [
    "namespace",
    "source",
    "provider",
    "api",
    "model",
    "request_model",
    "operation",
    "deployment",
    "region",
];

/// A field that a rule names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    /// A tag, by key.
    Tag(String),
    /// A who-column: what is asserted, else what is claimed.
    Who(&'static str),
    /// One of [`OTHERS`].
    Other(&'static str),
}

/// What rules see of an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub event: &'a CallEvent,
    pub namespace: &'a str,
    pub who: &'a Who,
}

impl Field {
    /// The field that `rule` calls `name`.
    pub fn named(name: &str, rule: &str) -> Result<Self, RulesError> {
        if let Some(key) = name.strip_prefix("tag.").filter(|key| !key.is_empty()) {
            return Ok(Self::Tag(key.to_owned()));
        }
        let known = |names: &[&'static str]| names.iter().copied().find(|known| *known == name);
        let others = || known(&OTHERS).map(Self::Other);
        known(&Who::FIELDS).map(Self::Who).or_else(others).ok_or_else(|| {
            let names: Vec<_> = Who::FIELDS.into_iter().chain(OTHERS).collect();
            RulesError::UnknownField {
                rule: rule.to_owned(),
                name: name.to_owned(),
                nearest: nearest(name, &names),
            }
        })
    }

    /// Its value; an empty one is none.
    pub fn value<'a>(&self, view: &View<'a>) -> Option<&'a str> {
        let event = view.event;
        let value = match self {
            Self::Tag(key) => event.tags.get(key).map(String::as_str),
            Self::Who(column) => view.who.field(column)?.as_deref(),
            Self::Other("namespace") => Some(view.namespace),
            Self::Other("source") => Some(event.source.as_str()),
            Self::Other("provider") => Some(event.provider.as_str()),
            Self::Other("api") => event.api.as_deref(),
            Self::Other("model") => Some(event.model.as_str()),
            Self::Other("request_model") => event.request_model.as_deref(),
            Self::Other("operation") => event.operation.as_deref(),
            Self::Other("deployment") => event.deployment.as_deref(),
            Self::Other("region") => event.region.as_deref(),
            Self::Other(_) => None,
        };
        value.filter(|value| !value.is_empty())
    }
}

/// The column that `rule` calls `name`.
pub(super) fn column(name: &str, rule: &str) -> Result<&'static str, RulesError> {
    Who::FIELDS.into_iter().find(|column| *column == name).ok_or_else(|| {
        RulesError::UnknownColumn {
            rule: rule.to_owned(),
            name: name.to_owned(),
            nearest: nearest(name, &Who::FIELDS),
        }
    })
}
