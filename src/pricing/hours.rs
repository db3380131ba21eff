//! Times of day at which a rate applies.
//!
//! Windows are half-open, the start inside, may wrap midnight, and belong to the weekday on which
//! they start. They are of what the zone's clocks show: an hour that a clock change repeats is in
//! its window twice, an hour that it leaves out not at all.

use super::zone::Zone;
use crate::time::Timestamp;

const MINUTES_PER_DAY: i64 = 1_440;
const MICROS_PER_MINUTE: i64 = 60_000_000;
/// 1970-01-01 was a Thursday, the fourth day of the ISO week.
const EPOCH_WEEKDAY: i64 = 3;

/// A window of local time on some weekdays.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Hours {
    pub zone: Zone,
    /// Weekdays, Monday first.
    pub weekdays: [bool; 7],
    /// Minutes of the day, start and end; an end at or before the start wraps midnight.
    pub windows: Vec<(i64, i64)>,
}

impl Hours {
    /// Whether `at` lies in one of the windows.
    pub(super) fn contains(&self, at: Timestamp) -> bool {
        let local = self.zone.local_micros(at).div_euclid(MICROS_PER_MINUTE);
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

    /// The windows as a book file writes them.
    pub(super) fn window_texts(&self) -> Vec<String> {
        let texts =
            self.windows.iter().map(|(start, end)| format!("{}-{}", clock(*start), clock(*end)));
        texts.collect()
    }

    /// The weekdays' ISO numbers, Monday 1.
    pub(super) fn weekday_numbers(&self) -> Vec<usize> {
        let days = self.weekdays.iter().enumerate().filter(|(_, on)| **on);
        days.map(|(day, _)| day + 1).collect()
    }
}

/// Reads `04:30`, up to `24:00`.
pub(super) fn minutes(text: &str) -> Option<i64> {
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

    fn hours(windows: &[&str], weekdays: &[usize], zone: &str) -> Hours {
        let windows = windows.iter().map(|text| Hours::window(text).expect("a window")).collect();
        let weekdays = std::array::from_fn(|day| weekdays.contains(&(day + 1)));
        Hours { zone: Zone::parse(zone).expect("a zone"), weekdays, windows }
    }

    fn check(hours: &Hours, cases: &[(&str, bool)]) {
        for (at, inside) in cases {
            assert_eq!(hours.contains(at.parse().expect("a time")), *inside, "{at}");
        }
    }

    const DAILY: &[usize] = &[1, 2, 3, 4, 5, 6, 7];

    #[test]
    fn windows_are_half_open_and_wrap_midnight() {
        let friday_night = [
            ("2026-11-20T21:59:59.999999Z", false),
            ("2026-11-20T22:00:00Z", true),
            ("2026-11-21T01:59:59Z", true),
            ("2026-11-21T02:00:00Z", false),
            ("2026-11-21T22:30:00Z", false),
        ];
        check(&hours(&["22:00-02:00"], &[5], "UTC"), &friday_night);
        assert!(hours(&["00:00-00:00"], DAILY, "UTC").contains(Timestamp::EPOCH));
        assert_eq!(Hours::window("25:00-26:00"), None);
    }

    #[test]
    fn windows_follow_the_clocks_of_their_zone() {
        let day = hours(&["09:00-17:00"], &[1, 2, 3, 4, 5], "America/New_York");
        // The same hour of UTC in winter and in summer; Friday evening there is Saturday in UTC.
        check(&day, &[("2026-03-06T13:30:00Z", false), ("2026-03-09T13:30:00Z", true)]);
        check(&day, &[("2026-11-20T21:59:59Z", true), ("2026-11-20T22:00:00Z", false)]);
        let night = hours(&["22:00-02:00"], &[5], "Asia/Shanghai");
        check(&night, &[("2026-11-20T13:59:59Z", false), ("2026-11-20T14:00:00Z", true)]);
        check(&night, &[("2026-11-20T17:59:59Z", true), ("2026-11-20T18:00:00Z", false)]);
    }

    #[test]
    fn an_hour_left_out_is_in_no_window_and_a_repeated_one_twice() {
        let early = hours(&["02:00-03:00"], DAILY, "America/New_York");
        // 2026-03-08: from 01:59:59 to 03:00:00.
        check(&early, &[("2026-03-08T06:59:59Z", false), ("2026-03-08T07:00:00Z", false)]);
        let over_the_gap = hours(&["22:00-02:30"], &[6], "America/New_York");
        check(&over_the_gap, &[("2026-03-08T06:59:59Z", true), ("2026-03-08T07:00:00Z", false)]);
        // 2026-11-01: from 01:59:59 back to 01:00:00.
        let repeated = hours(&["01:00-02:00"], DAILY, "America/New_York");
        check(&repeated, &[("2026-11-01T04:59:59Z", false), ("2026-11-01T05:00:00Z", true)]);
        check(&repeated, &[("2026-11-01T06:59:59Z", true), ("2026-11-01T07:00:00Z", false)]);
    }
}
