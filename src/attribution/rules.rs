//! Says who a call is for: asserted first, then the rules, then the caller's claim.

use super::config::{RulesConfig, TagRule};
use super::error::RulesError;
use super::field::{Field, View, column};
use super::senders::Senders;
use super::{Attribution, Sender, TenantSource, UNATTRIBUTED, WhoSource};
use crate::event::{CallEvent, Who};

/// Rules that fill the who-columns, ready to be applied.
#[derive(Debug, Default)]
pub struct Rules {
    senders: Senders,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    when: Vec<(Field, String)>,
    fills: Vec<(&'static str, Filling)>,
}

#[derive(Debug)]
enum Filling {
    Value(String),
    Copy(Field),
}

impl Rules {
    /// The rules of a configuration.
    ///
    /// # Errors
    /// The first rule that names what does not exist, or that does nothing.
    pub fn new(config: &RulesConfig) -> Result<Self, RulesError> {
        let senders = Senders::new(&config.senders)?;
        let named = config.rules.iter().enumerate();
        let rules = named.map(|(place, rule)| Rule::new(place, rule)).collect::<Result<_, _>>()?;
        Ok(Self { senders, rules })
    }

    /// Who `event` is for, given what is known of its sender.
    ///
    /// Column by column: what the credential asserts, then what the table of senders asserts, then
    /// the first rule that has a value, then what the event claims. A tenant is taken from a claim
    /// only where claims are allowed. Rules see a column as asserted, or else as claimed.
    pub fn attribute(&self, event: &CallEvent, sender: &Sender) -> Attribution {
        let namespace = sender.namespace.as_str();
        let api_key = sender.asserted.api_key.as_deref().or(event.who.api_key.as_deref());
        let mut known = Known::default();
        known.fill(&sender.asserted, WhoSource::Credential);
        let mut claims_allowed = sender.claims_allowed;
        for (rule, who) in self.senders.of(event, namespace, api_key) {
            known.fill(who, WhoSource::Sender);
            claims_allowed |= rule.claims_allowed;
        }
        let mut claimed = event.who.clone();
        claimed.tenant = claimed.tenant.filter(|_| claims_allowed);
        let mut seen = known.clone();
        seen.fill(&claimed, WhoSource::Claim);
        let ruled = self.ruled(&View { event, namespace, who: &seen.who });
        known.fill(&ruled, WhoSource::Rule);
        known.fill(&claimed, WhoSource::Claim);
        known.attribution(&event.who, sender.claims_allowed)
    }

    fn ruled(&self, view: &View) -> Who {
        let mut who = Who::default();
        for rule in self.rules.iter().filter(|rule| rule.matches(view)) {
            for (column, filling) in &rule.fills {
                let Some(slot @ None) = who.field_mut(column) else { continue };
                *slot = match filling {
                    Filling::Value(value) => Some(value.clone()),
                    Filling::Copy(field) => field.value(view).map(str::to_owned),
                };
            }
        }
        who
    }
}

impl Rule {
    fn new(place: usize, config: &TagRule) -> Result<Self, RulesError> {
        let named = config.name.as_ref().map(|name| format!(" `{name}`")).unwrap_or_default();
        let name = format!("rule {}{named}", place + 1);
        let mut when = Vec::new();
        for (field, value) in &config.when {
            when.push((Field::named(field, &name)?, filled(value, field, &name)?));
        }
        let mut fills = Vec::new();
        for (named, value) in &config.set {
            fills.push((column(named, &name)?, Filling::Value(filled(value, named, &name)?)));
        }
        for (named, field) in &config.copy {
            if config.set.contains_key(named) {
                return Err(RulesError::SetAndCopied { rule: name, name: named.clone() });
            }
            fills.push((column(named, &name)?, Filling::Copy(Field::named(field, &name)?)));
        }
        if fills.is_empty() {
            return Err(RulesError::NoEffect { rule: name, expected: "set` or `copy" });
        }
        Ok(Self { when, fills })
    }

    fn matches(&self, view: &View) -> bool {
        self.when.iter().all(|(field, value)| field.value(view) == Some(value))
    }
}

fn filled(value: &str, name: &str, rule: &str) -> Result<String, RulesError> {
    match value {
        "" => Err(RulesError::EmptyValue { rule: rule.to_owned(), name: name.to_owned() }),
        value => Ok(value.to_owned()),
    }
}

/// What is known so far, and how.
#[derive(Debug, Clone, Default)]
struct Known {
    who: Who,
    sources: [Option<WhoSource>; Who::FIELDS.len()],
}

impl Known {
    /// Fills the columns that are empty.
    fn fill(&mut self, who: &Who, source: WhoSource) {
        for (column, known) in Who::FIELDS.into_iter().zip(&mut self.sources) {
            let value = who.field(column).and_then(Option::as_ref);
            let value = value.filter(|value| !value.is_empty());
            if let (Some(value), Some(slot @ None)) = (value, self.who.field_mut(column)) {
                *slot = Some(value.clone());
                *known = Some(source);
            }
        }
    }

    /// What becomes of it, beside what the event claimed.
    fn attribution(mut self, claimed: &Who, claims_allowed: bool) -> Attribution {
        let sources = Who::FIELDS.into_iter().zip(self.sources);
        let sources: Vec<_> =
            sources.filter_map(|(column, source)| Some((column, source?))).collect();
        let source_of = |column: &str| {
            sources.iter().find(|(named, _)| *named == column).map(|(_, source)| *source)
        };
        let tenant_source = source_of("tenant").map_or(TenantSource::None, WhoSource::of_tenant);
        let claims = claimed.present().filter(|(column, claim)| {
            !claim.is_empty() && source_of(column) != Some(WhoSource::Claim)
        });
        let claimed_who = claims.map(|(column, claim)| (column.into(), claim.into())).collect();
        self.who.tenant.get_or_insert_with(|| UNATTRIBUTED.to_owned());
        Attribution { who: self.who, tenant_source, sources, claimed_who, claims_allowed }
    }
}
