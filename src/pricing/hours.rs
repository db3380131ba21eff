//! Times of day at which a rate applies.
//!
//! Windows are half-open, the start inside, may wrap midnight, and belong to the weekday on which
//! they start. Zones are fixed offsets from UTC: named zones would need a database of their rules.

use crate::time::Timestamp;

const MINUTES_PER_DAY: i64 = 1_440;
const MICROS_PER_MINUTE: i64 = 60_000_000;
/// 1970-01-01 was a Thursday, the fourth day of the ISO week.
const EPOCH_WEEKDAY: i64 = 3;

/// A window of local time on some weekdays.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Hours {
    /// Minutes east of UTC.
    pub offset_minutes: i64,
    /// Weekdays, Monday first.
    pub weekdays: [bool; 7],
    /// Minutes of the day, start and end; an end at or before the start wraps midnight.
    pub windows: Vec<(i64, i64)>,
}

impl Hours {
    /// Whether `at` lies in one of the windows.
    pub(super) fn contains(&self, at: Timestamp) -> bool {
        let local = at.micros().div_euclid(MICROS_PER_MINUTE) + self.offset_minutes;
        let minute = local.rem_euclid(MINUTES_PER_DAY);
        let today = (local.div_euclid(MINUTES_PER_DAY) + EPOCH_WEEKDAY).rem_euclid(7);
        let yesterday = (today + 6) % 7;
        self.windows.iter().any(|(start, end)| {
            if start < end {
                self.on(today) && (*start..*end).contains(&minute)
            } else {
                (self.on(today) && minute >= *start) || (self.on(yesterday) && minute < *end)
            }
        })
    }

    fn on(&self, weekday: i64) -> bool {
        usize::try_from(weekday).ok().and_then(|day| self.weekdays.get(day)).is_some_and(|on| *on)
    }

    /// Reads `04:00-06:00`; an end of `00:00` or `24:00` is the end of the day.
    pub(super) fn window(text: &str) -> Option<(i64, i64)> {
        let (start, end) = text.split_once('-')?;
        let end = minutes(end).map(|end| if end == 0 { MINUTES_PER_DAY } else { end })?;
        let start = minutes(start).filter(|start| *start < MINUTES_PER_DAY)?;
        Some((start, end))
    }

    /// Reads `UTC`, `+08:00`, `-05:30`.
    pub(super) fn zone(text: &str) -> Option<i64> {
        if matches!(text, "UTC" | "Z") {
            return Some(0);
        }
        match text.split_at_checked(1)? {
            ("+", rest) => minutes(rest),
            ("-", rest) => minutes(rest).map(|minutes| -minutes),
            _ => None,
        }
    }

    /// The windows as a book file writes them.
    pub(super) fn window_texts(&self) -> Vec<String> {
        let texts =
            self.windows.iter().map(|(start, end)| format!("{}-{}", clock(*start), clock(*end)));
        texts.collect()
    }

    /// The zone as a book file writes it.
    pub(super) fn zone_text(&self) -> String {
        match self.offset_minutes {
            0 => "UTC".to_owned(),
            minutes if minutes < 0 => format!("-{}", clock(-minutes)),
            minutes => format!("+{}", clock(minutes)),
        }
    }

    /// The weekdays' ISO numbers, Monday 1.
    pub(super) fn weekday_numbers(&self) -> Vec<usize> {
        let days = self.weekdays.iter().enumerate().filter(|(_, on)| **on);
        days.map(|(day, _)| day + 1).collect()
    }
}

fn minutes(text: &str) -> Option<i64> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let two_digits = |text: &str| {
        Some(text).filter(|text| text.len() == 2).and_then(|text| text.parse::<u8>().ok())
    };
    let (hours, minutes) = (i64::from(two_digits(hours)?), i64::from(two_digits(minutes)?));
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= MINUTES_PER_DAY).then_some(total)
}

fn clock(minutes: i64) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(windows: &[&str], weekdays: [bool; 7]) -> Hours {
        let windows = windows.iter().map(|text| Hours::window(text).expect("a window")).collect();
        Hours { offset_minutes: 0, weekdays, windows }
    }

    #[test]
    fn windows_are_half_open_and_wrap_midnight() {
        let friday_night =
            hours(&["22:00-02:00"], [false, false, false, false, true, false, false]);
        for (at, inside) in [
            ("2026-11-20T21:59:59.999999Z", false),
            ("2026-11-20T22:00:00Z", true),
            ("2026-11-21T01:59:59Z", true),
            ("2026-11-21T02:00:00Z", false),
            ("2026-11-21T22:30:00Z", false),
        ] {
            assert_eq!(friday_night.contains(at.parse().expect("a time")), inside, "{at}");
        }
        let all_day = hours(&["00:00-00:00"], [true; 7]);
        assert!(all_day.contains(Timestamp::EPOCH));
    }

    #[test]
    fn zones_are_offsets() {
        assert_eq!(Hours::zone("+08:00"), Some(480));
        assert_eq!(Hours::zone("-05:30"), Some(-330));
        assert_eq!(Hours::zone("Asia/Shanghai"), None);
        assert_eq!(Hours::window("25:00-26:00"), None);
    }
}
