//! Time: instants in UTC microseconds, half-open windows, and the one clock.
//!
//! In: RFC 3339 text or epoch numbers. Out: [`Timestamp`], [`Window`]. Nobody else in the house
//! reads the wall clock: what needs "now" is handed a [`Clock`].

use std::fmt;
use std::str::FromStr;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_HOUR: i64 = 3_600 * MICROS_PER_SECOND;
const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;
/// 9999-12-31T23:59:59.999999Z; RFC 3339 has no later instant.
const MICROS_MAX: i64 = 253_402_300_799_999_999;
/// 0001-01-01T00:00:00Z.
const MICROS_MIN: i64 = -62_135_596_800_000_000;

/// An instant: microseconds since 1970-01-01T00:00:00Z, between the years 1 and 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Text or a number that is not an instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an RFC 3339 timestamp such as `2026-11-22T12:00:00Z`")]
pub struct TimestampError(String);

impl Timestamp {
    /// The epoch, 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// Microseconds since the epoch; `None` outside the years 1 to 9999.
    pub const fn from_micros(micros: i64) -> Option<Self> {
        if micros < MICROS_MIN || micros > MICROS_MAX { None } else { Some(Self(micros)) }
    }

    /// Milliseconds since the epoch; `None` outside the years 1 to 9999.
    pub const fn from_millis(millis: i64) -> Option<Self> {
        match millis.checked_mul(1_000) {
            Some(micros) => Self::from_micros(micros),
            None => None,
        }
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch, rounded down.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Days since 1970-01-01, UTC: the unit of Arrow's `Date32`.
    pub fn days(self) -> i32 {
        // At most 2,932,896 days lie between the epoch and the year 9999.
        i32::try_from(self.0.div_euclid(MICROS_PER_DAY)).unwrap_or_default()
    }

    /// The UTC date, `2026-11-22`.
    pub fn date(self) -> String {
        self.to_string().chars().take(10).collect()
    }

    /// The start of the UTC hour this instant lies in.
    pub const fn hour_start(self) -> Self {
        Self(self.0.div_euclid(MICROS_PER_HOUR) * MICROS_PER_HOUR)
    }

    /// The start of the UTC day this instant lies in.
    pub const fn day_start(self) -> Self {
        Self(self.0.div_euclid(MICROS_PER_DAY) * MICROS_PER_DAY)
    }

    /// This instant moved by a number of seconds, held at the ends of the calendar.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_micros(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// This instant moved by a number of microseconds, held at the ends of the calendar.
    pub fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros).clamp(MICROS_MIN, MICROS_MAX))
    }

    /// Microseconds from `earlier` to this instant; negative when it is the later one.
    pub const fn micros_since(self, earlier: Self) -> i64 {
        // Both lie within the years 1 to 9999, so the difference cannot overflow.
        self.0 - earlier.0
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC: `2026-11-22T12:00:00Z`, with as many digits of a second as needed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = jiff::Timestamp::from_microsecond(self.0).map_err(|_| fmt::Error)?;
        fmt::Display::fmt(&instant, f)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Reads RFC 3339; digits finer than a microsecond are cut off.
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let wrong = || TimestampError(text.chars().take(64).collect());
        let instant: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
        let micros = instant.as_nanosecond().div_euclid(1_000);
        i64::try_from(micros).ok().and_then(Self::from_micros).ok_or_else(wrong)
    }
}

/// A half-open span of time: `start <= t < end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// The first instant inside.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

impl Window {
    /// The UTC hour that `instant` lies in.
    pub fn hour_of(instant: Timestamp) -> Self {
        let start = instant.hour_start();
        Self { start, end: start.plus_micros(MICROS_PER_HOUR) }
    }

    /// Whether `instant` lies inside.
    pub fn contains(&self, instant: Timestamp) -> bool {
        self.start <= instant && instant < self.end
    }
}

/// Where "now" comes from.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let micros = jiff::Timestamp::now().as_microsecond();
        Timestamp(micros.clamp(MICROS_MIN, MICROS_MAX))
    }
}

/// A clock that stands still, for tests and replays.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints_rfc_3339() {
        for (text, printed) in [
            ("2026-11-22T12:00:00Z", "2026-11-22T12:00:00Z"),
            ("2026-11-22T13:00:00.5+01:00", "2026-11-22T12:00:00.5Z"),
            ("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(text.parse::<Timestamp>().expect("a timestamp").to_string(), printed);
        }
        for wrong in ["", "now", "2026-11-22", "2026-11-22T12:00:00", "2026-13-01T00:00:00Z"] {
            assert!(wrong.parse::<Timestamp>().is_err(), "`{wrong}` must be refused");
        }
    }

    #[test]
    fn dates_and_hours_are_utc_before_the_epoch_too() {
        let instant: Timestamp = "1969-12-31T23:30:00Z".parse().expect("a timestamp");
        assert_eq!((instant.days(), instant.date().as_str()), (-1, "1969-12-31"));
        assert_eq!(instant.hour_start().to_string(), "1969-12-31T23:00:00Z");
        assert!(Window::hour_of(instant).contains(instant));
        assert!(!Window::hour_of(instant).contains(Timestamp::EPOCH));
    }
}
