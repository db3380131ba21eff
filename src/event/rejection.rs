//! Why an event cannot become a row: data, with a stable code.

use std::fmt;

/// The stable, snake_case reason that `dead_letters.reason` and the HTTP answers carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RejectionCode {
    /// The bytes are not UTF-8 JSON.
    InvalidJson,
    /// A JSON object has one key twice.
    DuplicateKey,
    /// Nested deeper than allowed.
    TooDeep,
    /// Larger than an event may be, as received or as stored.
    EventTooLarge,
    /// A required field is absent or null.
    MissingField,
    /// A field has the wrong type or an unreadable value.
    InvalidField,
    /// More tags than allowed, or a tag too long.
    TooManyTags,
    /// A time that is not one.
    InvalidTimestamp,
    /// The Avro bytes do not fit their schema.
    InvalidAvro,
    /// The registry does not know the schema id.
    UnknownSchema,
    /// The writer's schema cannot be resolved to ours.
    IncompatibleSchema,
    /// Token counts that cannot be: negative, fractional, a part above its whole.
    InvalidUsage,
    /// No dialect is known for the counters.
    UnsupportedDialect,
    /// Further ahead of its acceptance than allowed.
    TooFarInFuture,
    /// Further behind its acceptance than allowed.
    TooOld,
    /// The identity was counted before, with the same content.
    Duplicate,
    /// The identity was counted before, with other content.
    Conflict,
}

impl RejectionCode {
    /// Every code.
    pub const ALL: [Self; 17] = [
        Self::InvalidJson,
        Self::DuplicateKey,
        Self::TooDeep,
        Self::EventTooLarge,
        Self::MissingField,
        Self::InvalidField,
        Self::TooManyTags,
        Self::InvalidTimestamp,
        Self::InvalidAvro,
        Self::UnknownSchema,
        Self::IncompatibleSchema,
        Self::InvalidUsage,
        Self::UnsupportedDialect,
        Self::TooFarInFuture,
        Self::TooOld,
        Self::Duplicate,
        Self::Conflict,
    ];

    /// The code as text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::DuplicateKey => "duplicate_key",
            Self::TooDeep => "too_deep",
            Self::EventTooLarge => "event_too_large",
            Self::MissingField => "missing_field",
            Self::InvalidField => "invalid_field",
            Self::TooManyTags => "too_many_tags",
            Self::InvalidTimestamp => "invalid_timestamp",
            Self::InvalidAvro => "invalid_avro",
            Self::UnknownSchema => "unknown_schema",
            Self::IncompatibleSchema => "incompatible_schema",
            Self::InvalidUsage => "invalid_usage",
            Self::UnsupportedDialect => "unsupported_dialect",
            Self::TooFarInFuture => "too_far_in_future",
            Self::TooOld => "too_old",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
        }
    }

    /// The code of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }
}

impl fmt::Display for RejectionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An event that is wrong: why, and where. It goes to the dead letters and never stops the stream.
///
/// The message names fields and limits and never repeats free text of the event: that may be a
/// prompt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Rejection {
    /// The stable code.
    pub code: RejectionCode,
    /// What was wrong, where, and what was expected.
    pub message: String,
    /// The event's id, whenever it could be read.
    pub event_id: Option<String>,
}

impl Rejection {
    /// A rejection of an event whose id is not known (yet).
    pub fn new(code: RejectionCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), event_id: None }
    }

    /// The same rejection, naming its event.
    #[must_use]
    pub fn of(mut self, event_id: &str) -> Self {
        self.event_id = Some(event_id.to_owned());
        self
    }
}
