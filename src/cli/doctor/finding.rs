//! What was found, and what to do about it.

use std::fmt;

use serde_json::{Value, json};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Something does not work, or will not after a restart.
    Wrong,
    /// Figures may surprise.
    Note,
}

/// One thing that was found.
#[derive(Debug, Clone)]
pub struct Finding {
    pub level: Level,
    /// What was looked at.
    check: &'static str,
    /// What was found, and where.
    what: String,
    /// What to do.
    remedy: &'static str,
}

impl Finding {
    pub fn wrong(check: &'static str, what: impl ToString, remedy: &'static str) -> Self {
        Self { level: Level::Wrong, check, what: what.to_string(), remedy }
    }

    pub fn note(check: &'static str, what: impl ToString, remedy: &'static str) -> Self {
        Self { level: Level::Note, check, what: what.to_string(), remedy }
    }

    const fn name(&self) -> &'static str {
        match self.level {
            Level::Wrong => "wrong",
            Level::Note => "note",
        }
    }

    pub fn to_json(&self) -> Value {
        json!({"level": self.name(), "check": self.check, "what": self.what,
            "remedy": self.remedy})
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}\n    {}", self.name(), self.check, self.what, self.remedy)
    }
}
