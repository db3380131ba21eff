//! Time zones of a book: `UTC`, an offset, or an IANA name with its clock changes.
//!
//! The rules of named zones are built in (IANA's database, by `jiff`), never the machine's: a price
//! must not depend on where it was computed.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

use crate::time::Timestamp;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// A zone, told from others by its text.
#[derive(Debug, Clone)]
pub(super) struct Zone {
    text: Arc<str>,
    rules: TimeZone,
}

impl Zone {
    pub(super) const UTC: &str = "UTC";

    pub(super) fn utc() -> Self {
        Self { text: Self::UTC.into(), rules: TimeZone::UTC }
    }

    /// Reads `UTC`, `+08:00`, `-05:30`, `Asia/Shanghai`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let signed =
            |sign: i32, rest| Some(sign * i32::try_from(super::hours::minutes(rest)?).ok()?);
        let minutes = match text.split_at_checked(1) {
            _ if matches!(text, Self::UTC | "Z") => 0,
            Some(("+", rest)) => signed(1, rest)?,
            Some(("-", rest)) => signed(-1, rest)?,
            _ => return Self::named(text),
        };
        if minutes == 0 {
            return Some(Self::utc());
        }
        let rules = TimeZone::fixed(Offset::from_seconds(minutes * 60).ok()?);
        Some(Self { text: text.into(), rules })
    }

    /// The name as the database spells it.
    fn named(name: &str) -> Option<Self> {
        let rules = TimeZoneDatabase::bundled().get(name).ok()?;
        let text = rules.iana_name()?.into();
        (!rules.is_unknown()).then_some(Self { text, rules })
    }

    /// What the zone's clocks show at an instant, in microseconds since their own 1970-01-01.
    pub(super) fn local_micros(&self, at: Timestamp) -> i64 {
        let instant = jiff::Timestamp::from_microsecond(at.micros());
        let offset = self.rules.to_offset(instant.unwrap_or(jiff::Timestamp::MAX));
        at.micros() + i64::from(offset.seconds()) * MICROS_PER_SECOND
    }

    /// The zone as a book file writes it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Zone {}

impl Hash for Zone {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl PartialOrd for Zone {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Zone {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(zone: &str, at: &str) -> String {
        let zone = Zone::parse(zone).expect("a zone");
        let local = zone.local_micros(at.parse().expect("a time"));
        Timestamp::from_micros(local).expect("a time").to_string()
    }

    #[test]
    fn names_have_their_clock_changes_and_offsets_none() {
        for (zone, at, local) in [
            ("+08:00", "2026-11-22T20:00:00Z", "2026-11-23T04:00:00Z"),
            ("-05:30", "2026-11-22T02:00:00Z", "2026-11-21T20:30:00Z"),
            ("Asia/Shanghai", "2026-11-22T20:00:00Z", "2026-11-23T04:00:00Z"),
            ("America/New_York", "2026-03-08T06:59:59Z", "2026-03-08T01:59:59Z"),
            ("America/New_York", "2026-03-08T07:00:00Z", "2026-03-08T03:00:00Z"),
            ("America/New_York", "2026-11-01T05:59:59Z", "2026-11-01T01:59:59Z"),
            ("America/New_York", "2026-11-01T06:00:00Z", "2026-11-01T01:00:00Z"),
        ] {
            assert_eq!(shown(zone, at), local, "{zone} at {at}");
        }
        let end = Timestamp::from_micros(253_402_300_799_999_999).expect("the last instant");
        let tokyo = Zone::parse("Asia/Tokyo").expect("a zone");
        assert_eq!(tokyo.local_micros(end) - end.micros(), 9 * 3_600 * MICROS_PER_SECOND);
    }

    #[test]
    fn a_zone_has_one_spelling_and_no_other_name_is_read() {
        for (text, spelt) in [("Z", "UTC"), ("+00:00", "UTC"), ("asia/shanghai", "Asia/Shanghai")] {
            assert_eq!(Zone::parse(text).expect("a zone").text(), spelt);
        }
        for wrong in ["", "Asia/Shangai", "Etc/Unknown", "+8", "+08:60", "Beijing", "\u{e9}"] {
            assert_eq!(Zone::parse(wrong), None, "`{wrong}` must be refused");
        }
    }
}
