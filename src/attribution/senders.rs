//! The table of known senders: what each of them asserts.

use std::collections::{BTreeMap, BTreeSet};

use super::config::SenderRule;
use super::error::RulesError;
use super::field::column;
use crate::event::{CallEvent, Who};

/// Known senders, found by the most particular thing that is said of each.
#[derive(Debug, Default)]
pub(super) struct Senders {
    rules: Vec<(SenderRule, Who)>,
    by_api_key: BTreeMap<String, Vec<usize>>,
    by_source: BTreeMap<String, Vec<usize>>,
    by_namespace: BTreeMap<String, Vec<usize>>,
}

impl Senders {
    /// The table of these rules.
    pub fn new(rules: &[SenderRule]) -> Result<Self, RulesError> {
        let mut senders = Self::default();
        for (place, rule) in rules.iter().enumerate() {
            let name = format!("sender {}", place + 1);
            let asserted = asserted(rule, &name)?;
            let (index, key) = match (&rule.api_key, &rule.source, &rule.namespace) {
                (Some(key), _, _) => (&mut senders.by_api_key, key),
                (None, Some(source), _) => (&mut senders.by_source, source),
                (None, None, Some(namespace)) => (&mut senders.by_namespace, namespace),
                (None, None, None) => return Err(RulesError::AnySender { rule: name }),
            };
            index.entry(key.clone()).or_default().push(place);
            senders.rules.push((rule.clone(), asserted));
        }
        Ok(senders)
    }

    /// The rules that match, in their order.
    pub fn of<'a>(
        &'a self,
        event: &'a CallEvent,
        namespace: &'a str,
        api_key: Option<&'a str>,
    ) -> impl Iterator<Item = &'a (SenderRule, Who)> {
        let by_key = api_key.and_then(|key| self.by_api_key.get(key));
        let found = [by_key, self.by_source.get(&event.source), self.by_namespace.get(namespace)];
        let places: BTreeSet<usize> = found.into_iter().flatten().flatten().copied().collect();
        let is = |said: &Option<String>, value: Option<&str>| {
            said.as_deref().is_none_or(|said| Some(said) == value)
        };
        places.into_iter().filter_map(|place| self.rules.get(place)).filter(move |(rule, _)| {
            is(&rule.namespace, Some(namespace))
                && is(&rule.source, Some(&event.source))
                && is(&rule.api_key, api_key)
        })
    }
}

fn asserted(rule: &SenderRule, name: &str) -> Result<Who, RulesError> {
    if rule.assert.is_empty() && !rule.claims_allowed {
        let expected = "assert` or `claims_allowed";
        return Err(RulesError::NoEffect { rule: name.to_owned(), expected });
    }
    let mut who = Who::default();
    for (named, value) in &rule.assert {
        let column = column(named, name)?;
        if value.is_empty() {
            let (rule, name) = (name.to_owned(), named.clone());
            return Err(RulesError::EmptyValue { rule, name });
        }
        if let Some(slot) = who.field_mut(column) {
            *slot = Some(value.clone());
        }
    }
    Ok(who)
}
