//! What must hold for a row to apply: prompt length, region, time of day, facts of the call.

use std::sync::Arc;

use super::hours::Hours;

/// A range of total prompt tokens, by the operator that the provider's page states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum ContextRange {
    /// More than so many.
    Above(u64),
    /// So many or more.
    From(u64),
    /// More than the first, up to and with the second; from zero: zero too.
    Range(u64, u64),
}

impl ContextRange {
    pub(super) fn contains(self, prompt_tokens: u64) -> bool {
        match self {
            Self::Above(limit) => prompt_tokens > limit,
            Self::From(limit) => prompt_tokens >= limit,
            Self::Range(0, to) => prompt_tokens <= to,
            Self::Range(from, to) => prompt_tokens > from && prompt_tokens <= to,
        }
    }

    /// Where it begins: of two tiers that both contain a prompt, the higher one applies.
    pub(super) fn start(self) -> u64 {
        match self {
            Self::Above(limit) | Self::From(limit) | Self::Range(limit, _) => limit,
        }
    }
}

/// What a fact of the call must be.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Test {
    Is(Arc<str>),
    /// Present and different.
    IsNot(Arc<str>),
    Begins(Arc<str>),
}

impl Test {
    /// Reads `us`, `!global`, `eu.*`.
    pub(super) fn parse(text: &str) -> Self {
        match (text.strip_prefix('!'), text.strip_suffix('*')) {
            (Some(rest), _) => Self::IsNot(rest.into()),
            (None, Some(prefix)) => Self::Begins(prefix.into()),
            (None, None) => Self::Is(text.into()),
        }
    }

    pub(super) fn holds(&self, fact: Option<&str>) -> bool {
        match (self, fact) {
            (_, None) => false,
            (Self::Is(value), Some(fact)) => fact.eq_ignore_ascii_case(value),
            (Self::IsNot(value), Some(fact)) => !fact.eq_ignore_ascii_case(value),
            (Self::Begins(prefix), Some(fact)) => fact.starts_with(prefix.as_ref()),
        }
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Is(value) => value.to_string(),
            Self::IsNot(value) => format!("!{value}"),
            Self::Begins(prefix) => format!("{prefix}*"),
        }
    }
}

/// Everything that must hold for a row to apply, beside its key and its time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(super) struct Conditions {
    pub context: Option<ContextRange>,
    pub hours: Vec<Hours>,
    /// Facts of the call by name, sorted.
    pub when: Vec<(Arc<str>, Test)>,
}

impl Conditions {
    /// How narrow they are: of two rows that both apply, the narrower one wins.
    pub(super) fn weight(&self) -> usize {
        self.when.len() * 2 + usize::from(!self.hours.is_empty())
    }

    /// The conditions as JSON, `None` when there are none.
    pub(super) fn to_json(&self) -> Option<String> {
        let mut object = serde_json::Map::new();
        if let Some(context) = self.context {
            object.insert("context".to_owned(), context_json(context));
        }
        if !self.hours.is_empty() {
            let hours = self.hours.iter().map(|hours| {
                serde_json::json!({
                    "windows": hours.window_texts(),
                    "weekdays": hours.weekday_numbers(),
                    "zone": hours.zone.text(),
                })
            });
            object.insert("hours".to_owned(), hours.collect());
        }
        if !self.when.is_empty() {
            let when = self.when.iter().map(|(name, test)| (name.to_string(), test.text().into()));
            object.insert("when".to_owned(), serde_json::Value::Object(when.collect()));
        }
        (!object.is_empty()).then(|| serde_json::Value::Object(object).to_string())
    }
}

fn context_json(context: ContextRange) -> serde_json::Value {
    match context {
        ContextRange::Above(limit) => serde_json::json!({ "above": limit }),
        ContextRange::From(limit) => serde_json::json!({ "from": limit }),
        ContextRange::Range(above, to) => serde_json::json!({ "above": above, "to": to }),
    }
}
