//! What a connection has set. Most settings are kept to be shown again and change nothing; a value
//! that would make PostgreSQL answer otherwise is refused, or said not to be heeded.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use pgwire::error::PgWireError;

use super::sqlstate::{self, INVALID_PARAMETER_VALUE, LIMIT_EXCEEDED, UNDEFINED_OBJECT};
use crate::query::POSTGRES_SETTINGS;

/// The most settings that a connection may add to those that are known.
const SETTINGS_MAX: usize = 64;
const VALUE_BYTES_MAX: usize = 1_024;

/// A connection's settings.
#[derive(Debug, Default)]
pub(super) struct Settings {
    set: BTreeMap<String, String>,
    statement_timeout: Option<Duration>,
}

impl Settings {
    /// Takes what a client asked for when it connected. What is not heeded needs no word here:
    /// drivers ask for it unasked.
    pub fn begin(&mut self, asked: &HashMap<String, String>) {
        for (name, value) in asked {
            let options = if name == "options" { options(value) } else { Vec::new() };
            let pairs = options.into_iter().chain([(name.to_ascii_lowercase(), value.as_str())]);
            for (name, value) in pairs.filter(|(name, _)| known(name).is_some()) {
                drop(self.set(&name, Some(value)));
            }
        }
    }

    /// Sets a value, or the default; the answer is what the client's user should know.
    ///
    /// # Errors
    /// When it cannot be.
    pub fn set(&mut self, name: &str, value: Option<&str>) -> Result<Option<String>, PgWireError> {
        let Some(value) = value else {
            self.reset(name);
            return Ok(None);
        };
        if value.len() > VALUE_BYTES_MAX || self.set.len() >= SETTINGS_MAX {
            return Err(sqlstate::error(LIMIT_EXCEEDED, "too many or too long settings"));
        }
        let unlike = |expected: &str| {
            let why = format!("invalid value for `{name}`: `{value}`; expected {expected}");
            Err(sqlstate::error(INVALID_PARAMETER_VALUE, why))
        };
        let mut told = None;
        match name {
            "statement_timeout" => match milliseconds(value) {
                Some(millis) => self.statement_timeout = timeout(millis),
                None => return unlike("a time such as `5s` or `500ms`"),
            },
            "client_encoding" if !is_utf8(value) => return unlike("`UTF8`"),
            "standard_conforming_strings" if !is_on(value) => return unlike("`on`"),
            "timezone" if !is_utc(value) => {
                told = Some(format!("times are computed and shown in UTC, not in `{value}`"));
            }
            "datestyle" if !value.to_ascii_uppercase().starts_with("ISO") => {
                told = Some("dates are shown in the style ISO".to_owned());
            }
            "intervalstyle" if !value.eq_ignore_ascii_case("postgres") => {
                told = Some("intervals are shown in the style postgres".to_owned());
            }
            "bytea_output" if !value.eq_ignore_ascii_case("hex") => {
                told = Some("bytes are shown in hex".to_owned());
            }
            _ => {}
        }
        if told.is_none() {
            self.set.insert(name.to_owned(), value.to_owned());
        }
        Ok(told)
    }

    fn reset(&mut self, name: &str) {
        self.set.remove(name);
        if name == "statement_timeout" {
            self.statement_timeout = None;
        }
    }

    /// Everything as at the beginning.
    pub fn reset_all(&mut self) {
        *self = Self::default();
    }

    /// A setting's value.
    ///
    /// # Errors
    /// When there is no such setting.
    pub fn show(&self, name: &str) -> Result<String, PgWireError> {
        let own = self.set.get(name).map(String::as_str);
        own.or_else(|| known(name)).map(str::to_owned).ok_or_else(|| {
            let why = format!("unrecognized configuration parameter `{name}`");
            sqlstate::error(UNDEFINED_OBJECT, why)
        })
    }

    /// Every setting and its value.
    pub fn all(&self) -> Vec<(String, String)> {
        let mut all: BTreeMap<String, String> = POSTGRES_SETTINGS
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        all.extend(self.set.clone());
        all.into_iter().collect()
    }

    /// How long a statement may take; `None`: as long as the configuration lets it.
    pub const fn statement_timeout(&self) -> Option<Duration> {
        self.statement_timeout
    }
}

fn known(name: &str) -> Option<&'static str> {
    POSTGRES_SETTINGS.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// The settings in a client's command line: `-c name=value`, `--name=value`.
fn options(text: &str) -> Vec<(String, &str)> {
    let words = text.split_ascii_whitespace();
    let settings = words.map(|word| word.trim_start_matches("-c").trim_start_matches("--"));
    let pairs = settings.filter_map(|setting| setting.split_once('='));
    pairs.map(|(name, value)| (name.to_ascii_lowercase().replace('-', "_"), value)).collect()
}

/// PostgreSQL's time settings: milliseconds, or a number with a unit.
fn milliseconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim() {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// 0 is no limit of one's own.
fn timeout(millis: u64) -> Option<Duration> {
    (millis > 0).then(|| Duration::from_millis(millis))
}

fn is_utf8(value: &str) -> bool {
    let plain: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
    matches!(plain.to_ascii_uppercase().as_str(), "UTF8" | "UNICODE")
}

fn is_on(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "on" | "true" | "yes" | "1")
}

fn is_utc(value: &str) -> bool {
    let names = ["UTC", "ETC/UTC", "GMT", "Z", "ZULU", "UCT", "0", "+00", "+00:00", "ETC/GMT"];
    names.contains(&value.trim().to_ascii_uppercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_kept_refused_or_said_not_to_be_heeded() {
        let mut settings = Settings::default();
        assert_eq!(settings.show("transaction_isolation").ok().as_deref(), Some("repeatable read"));
        assert_eq!(settings.set("search_path", Some("a")).ok(), Some(None));
        assert_eq!(settings.show("search_path").ok().as_deref(), Some("a"));
        for (text, millis) in [("5s", 5_000), ("250", 250), ("2min", 120_000), ("0", 0)] {
            assert!(settings.set("statement_timeout", Some(text)).is_ok());
            assert_eq!(settings.statement_timeout(), timeout(millis), "{text}");
        }
        assert!(settings.set("statement_timeout", Some("soon")).is_err());
        assert!(settings.set("client_encoding", Some("LATIN1")).is_err());
        assert!(settings.show("no_such_setting").is_err());
        let told = settings.set("timezone", Some("Europe/Berlin")).expect("no error");
        assert!(told.is_some_and(|told| told.contains("UTC")));
        assert_eq!(settings.show("timezone").ok().as_deref(), Some("UTC"));
        for place in 0..2 * SETTINGS_MAX {
            drop(settings.set(&format!("own.{place}"), Some("x")));
        }
        assert!(settings.all().len() <= POSTGRES_SETTINGS.len() + SETTINGS_MAX);
        let asked = "-c statement_timeout=5s -c search_path=a --lock-timeout=7 -cjit=on";
        settings.reset_all();
        settings.begin(&[("options".to_owned(), asked.to_owned())].into());
        assert_eq!(settings.statement_timeout(), timeout(5_000));
        for (name, value) in [("search_path", "a"), ("lock_timeout", "7"), ("jit", "on")] {
            assert_eq!(settings.show(name).ok().as_deref(), Some(value));
        }
        settings.reset_all();
        assert_eq!(settings.all().len(), POSTGRES_SETTINGS.len());
    }
}
