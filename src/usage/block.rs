//! Reads counts out of a provider's usage block.
//!
//! In: JSON as the provider or a relay wrote it. Out: counts that know their field's name. Never: a
//! count for a field that is absent, a clamp, a wrap-around.

use crate::event::{Json, Rejection, RejectionCode};
use crate::money::Decimal;

/// The largest count a column holds.
const COUNT_MAX: u64 = i64::MAX.unsigned_abs();

/// A count and the field it came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Count {
    section: &'static str,
    field: &'static str,
    /// How many.
    pub tokens: u64,
}

impl Count {
    /// The field, as the provider spells it.
    pub fn name(&self) -> String {
        join(self.section, self.field)
    }

    /// Refuses a part that is larger than the whole it belongs to.
    pub fn within(&self, whole: &Self) -> Result<(), Rejection> {
        if self.tokens <= whole.tokens {
            return Ok(());
        }
        Err(invalid(format!("`{}` is more than `{}`", self.name(), whole.name())))
    }
}

/// One object of counters: a usage block, or a section of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a> {
    section: &'static str,
    json: Option<&'a Json>,
}

impl<'a> Block<'a> {
    /// The usage block itself.
    pub const fn new(json: &'a Json) -> Self {
        Self { section: "", json: Some(json) }
    }

    /// The section's name, empty for the block itself.
    pub const fn name(&self) -> &'static str {
        self.section
    }

    /// The block's JSON, unless it is an absent section.
    pub const fn json(&self) -> Option<&'a Json> {
        self.json
    }

    /// The value of a field; a spelling in camel case also finds its snake case, as SDKs write it.
    pub fn value(&self, field: &str) -> Option<&'a Json> {
        let json = self.json?;
        json.field(field).or_else(|| snake_case(field).and_then(|name| json.field(&name)))
    }

    /// Whether the field is there.
    pub fn has(&self, field: &str) -> bool {
        self.value(field).is_some()
    }

    /// The object under a field, empty when absent. An empty list stands for an empty object, as
    /// some relays write it.
    pub fn section(&self, field: &'static str) -> Result<Self, Rejection> {
        match self.value(field) {
            None => Ok(Self { section: field, json: None }),
            Some(Json::Array(items)) if items.is_empty() => Ok(Self { section: field, json: None }),
            Some(json @ Json::Object(_)) => Ok(Self { section: field, json: Some(json) }),
            Some(_) => Err(invalid(format!("`{}` is not an object", join(self.section, field)))),
        }
    }

    /// The list under a field, empty when absent.
    pub fn list(&self, field: &'static str) -> Result<&'a [Json], Rejection> {
        match self.value(field) {
            None => Ok(&[]),
            Some(Json::Array(items)) => Ok(items),
            Some(_) => Err(invalid(format!("`{}` is not a list", join(self.section, field)))),
        }
    }

    /// The count under a field. Relays write counts as text and as `200.0`: both are read.
    pub fn count(&self, field: &'static str) -> Result<Option<Count>, Rejection> {
        let Some(value) = self.value(field) else { return Ok(None) };
        let tokens = number(value).and_then(Decimal::to_count).filter(|count| *count <= COUNT_MAX);
        match tokens {
            Some(tokens) => Ok(Some(Count { section: self.section, field, tokens })),
            None => {
                let name = join(self.section, field);
                Err(invalid(format!("`{name}` is not a whole number from 0 to {COUNT_MAX}")))
            }
        }
    }

    /// The tokens under a field; absent counts as none.
    pub fn tokens(&self, field: &'static str) -> Result<u64, Rejection> {
        Ok(self.count(field)?.map_or(0, |count| count.tokens))
    }

    /// The first of several spellings that counts anything, else the first that is there.
    pub fn first(&self, fields: &[&'static str]) -> Result<Option<Count>, Rejection> {
        let mut found: Option<Count> = None;
        for field in fields {
            let count = self.count(field)?;
            if found.is_none_or(|known| known.tokens == 0) && count.is_some() {
                found = count.filter(|count| count.tokens > 0).or(found).or(count);
            }
        }
        Ok(found)
    }

    /// The text under a field, in lower case.
    pub fn text(&self, field: &str) -> Option<String> {
        self.value(field)?.as_text().map(str::to_lowercase)
    }

    /// An amount that need not be whole: money, seconds. What is no number counts as absent, as
    /// some providers write `{}` for it.
    pub fn amount(&self, field: &'static str) -> Result<Option<Decimal>, Rejection> {
        match self.value(field).and_then(number) {
            Some(amount) if amount.is_negative() => {
                Err(invalid(format!("`{}` is negative", join(self.section, field))))
            }
            amount => Ok(amount),
        }
    }
}

/// The exact sum of counts.
pub(super) fn sum(counts: &[u64]) -> Result<u64, Rejection> {
    let sum = counts.iter().try_fold(0_u64, |sum, count| sum.checked_add(*count));
    sum.filter(|sum| *sum <= COUNT_MAX)
        .ok_or_else(|| invalid(format!("the counts sum to more than {COUNT_MAX}")))
}

/// The rejection of impossible counts.
pub(super) fn invalid(message: impl Into<String>) -> Rejection {
    Rejection::new(RejectionCode::InvalidUsage, message)
}

/// A number, or a text that is one.
pub(super) fn number(value: &Json) -> Option<Decimal> {
    value.as_number().or_else(|| value.as_text()?.trim().parse().ok())
}

fn join(section: &str, field: &str) -> String {
    if section.is_empty() { field.to_owned() } else { format!("{section}.{field}") }
}

fn snake_case(field: &str) -> Option<String> {
    if !field.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let mut snake = String::with_capacity(field.len() + 4);
    for letter in field.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    Some(snake)
}
