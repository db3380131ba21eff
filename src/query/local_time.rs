//! Time as a place's clocks show it: functions of SQL for any IANA time zone.
//!
//! `local_date(at, zone)` is the day there, `local_start(unit, at, zone)` the instant at which the
//! hour, day, week or month there began, `local_time(at, zone)` what its clocks show, with their
//! offset. The zones' rules are built in, never the machine's: an answer must not depend on where
//! it was computed. A day has 23 or 25 hours where clocks change.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Date32Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use datafusion::common::plan_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ZonedDateTime};

const UTC: &str = "UTC";
const MICROS_PER_HOUR: i64 = 3_600_000_000;

/// How time is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Hour,
    Day,
    Week,
    Month,
}

/// What a function makes of an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Shown {
    Date,
    Start,
    Time,
}

/// A function that shows an instant as a place's clocks do.
#[derive(Debug, PartialEq, Eq, Hash)]
struct LocalTime {
    shown: Shown,
    signature: Signature,
}

/// Gives a session the functions.
pub(super) fn register(session: &SessionContext) {
    for shown in [Shown::Date, Shown::Start, Shown::Time] {
        session.register_udf(ScalarUDF::from(LocalTime::new(shown)));
    }
}

/// The rules of an IANA time zone.
///
/// # Errors
/// What was expected.
pub fn time_zone(name: &str) -> std::result::Result<TimeZone, String> {
    let known = TimeZoneDatabase::bundled().get(name).ok();
    let known = known.filter(|zone| !zone.is_unknown() && zone.iana_name().is_some());
    known.ok_or_else(|| {
        let shown: String = name.chars().take(64).collect();
        format!("`{shown}`: expected the IANA name of a time zone, such as `America/New_York`")
    })
}

impl Unit {
    fn named(name: &str) -> Option<Self> {
        match name {
            "hour" => Some(Self::Hour),
            "day" => Some(Self::Day),
            "week" => Some(Self::Week),
            "month" => Some(Self::Month),
            _ => None,
        }
    }
}

/// The parts that time is cut into, in one zone; the last one is remembered, since rows that follow
/// each other are mostly of one part.
struct Parts {
    unit: Unit,
    zone: TimeZone,
    last: std::ops::Range<i64>,
}

impl Parts {
    const fn new(unit: Unit, zone: TimeZone) -> Self {
        Self { unit, zone, last: 0..0 }
    }

    /// The instant at which the part of an instant began; both in microseconds.
    fn start_of(&mut self, micros: i64) -> Result<i64> {
        if !self.last.contains(&micros) {
            let start = self.cut(micros)?;
            let end = self.next(start)?;
            // Where clocks change in the middle of a part its length is not what it seems.
            let whole = end > micros && self.cut(end - 1)? == start;
            self.last = start..if whole { end } else { micros.saturating_add(1) };
        }
        Ok(self.last.start)
    }

    fn cut(&self, micros: i64) -> Result<i64> {
        let local = instant(micros)?.to_zoned_datetime(self.zone.clone());
        let start = match self.unit {
            Unit::Hour => local.with().minute(0).second(0).subsec_nanosecond(0).build(),
            Unit::Day => local.start_of_day(),
            Unit::Week => {
                let days = i64::from(local.weekday().to_monday_zero_offset());
                let monday = local.date().checked_sub(jiff::Span::new().days(days));
                monday.and_then(|monday| midnight(monday, &self.zone))
            }
            Unit::Month => midnight(local.date().first_of_month(), &self.zone),
        };
        Ok(start.map_err(outside)?.timestamp().as_microsecond())
    }

    fn next(&self, start: i64) -> Result<i64> {
        let span = jiff::Span::new();
        let span = match self.unit {
            Unit::Hour => return Ok(start.saturating_add(MICROS_PER_HOUR)),
            Unit::Day => span.days(1),
            Unit::Week => span.days(7),
            Unit::Month => span.months(1),
        };
        let date = instant(start)?.to_zoned_datetime(self.zone.clone()).date();
        let next = date.checked_add(span).and_then(|date| midnight(date, &self.zone));
        Ok(next.map_err(outside)?.timestamp().as_microsecond())
    }
}

fn midnight(date: Date, zone: &TimeZone) -> std::result::Result<ZonedDateTime, jiff::Error> {
    date.to_zoned_datetime(zone.clone())?.start_of_day()
}

fn instant(micros: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(micros).map_err(outside)
}

fn outside(_: jiff::Error) -> DataFusionError {
    DataFusionError::Execution("a time outside of the calendar".to_owned())
}

impl LocalTime {
    fn new(shown: Shown) -> Self {
        let at = DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()));
        let arguments = match shown {
            Shown::Start => vec![DataType::Utf8, at, DataType::Utf8],
            Shown::Date | Shown::Time => vec![at, DataType::Utf8],
        };
        Self { shown, signature: Signature::exact(arguments, Volatility::Immutable) }
    }

    /// The values of one zone and unit.
    fn column(&self, at: &ArrayRef, zone: &str, unit: Option<Unit>) -> Result<ArrayRef> {
        let zone = time_zone(zone).map_err(DataFusionError::Execution)?;
        let times = at.as_primitive::<TimestampMicrosecondType>();
        Ok(match self.shown {
            Shown::Start => {
                let Some(unit) = unit else { return plan_err!("no unit") };
                let mut parts = Parts::new(unit, zone);
                let starts = times.iter().map(|at| at.map(|at| parts.start_of(at)).transpose());
                let starts: TimestampMicrosecondArray = starts.collect::<Result<_>>()?;
                Arc::new(starts.with_timezone(UTC))
            }
            Shown::Date => {
                let mut days = Parts::new(Unit::Day, zone);
                let dates = times.iter().map(|at| at.map(|at| days.date_of(at)).transpose());
                Arc::new(dates.collect::<Result<Date32Array>>()?)
            }
            Shown::Time => {
                let text = |at: i64| -> Result<String> {
                    let local = instant(at)?.to_zoned_datetime(zone.clone());
                    Ok(local.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string())
                };
                let texts = times.iter().map(|at| at.map(text).transpose());
                Arc::new(texts.collect::<Result<StringArray>>()?)
            }
        })
    }
}

impl Parts {
    /// The day, in days since 1970-01-01.
    fn date_of(&mut self, micros: i64) -> Result<i32> {
        let start = instant(self.start_of(micros)?)?;
        let date = start.to_zoned_datetime(self.zone.clone()).date();
        let days = Date::constant(1970, 1, 1).until(date).map_err(outside)?.get_days();
        Ok(days)
    }
}

impl ScalarUDFImpl for LocalTime {
    fn name(&self) -> &str {
        match self.shown {
            Shown::Date => "local_date",
            Shown::Start => "local_start",
            Shown::Time => "local_time",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.shown {
            Shown::Date => DataType::Date32,
            Shown::Start => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
            Shown::Time => DataType::Utf8,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (unit, at, zone) = match args.args.as_slice() {
            [unit, at, zone] => (Some(unit), at, zone),
            [at, zone] => (None, at, zone),
            _ => return plan_err!("`{}` takes a time and a zone", self.name()),
        };
        let unit = match unit.map(|unit| one_text(unit, "unit")).transpose()?.flatten() {
            Some(name) => Some(Unit::named(&name).ok_or_else(|| {
                DataFusionError::Execution("expected hour, day, week or month".to_owned())
            })?),
            None => None,
        };
        let zone = one_text(zone, "time zone")?;
        let is_null = zone.is_none() || (self.shown == Shown::Start && unit.is_none());
        let (Some(zone), false) = (zone, is_null) else {
            let null = ScalarValue::try_from(args.return_field.data_type())?;
            return Ok(ColumnarValue::Scalar(null));
        };
        match at {
            ColumnarValue::Array(at) => self.column(at, &zone, unit).map(ColumnarValue::Array),
            ColumnarValue::Scalar(at) => {
                let shown = self.column(&at.to_array()?, &zone, unit)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&shown, 0)?))
            }
        }
    }
}

/// A text that is the same for every row.
fn one_text(value: &ColumnarValue, what: &str) -> Result<Option<String>> {
    match value {
        ColumnarValue::Scalar(ScalarValue::Utf8(text)) => Ok(text.clone()),
        ColumnarValue::Scalar(scalar) if scalar.is_null() => Ok(None),
        // A column of one row, or of rows that are alike.
        ColumnarValue::Array(array) => {
            let texts = array.as_string_opt::<i32>();
            let mut texts = texts.into_iter().flatten();
            let first = texts.next().flatten().map(str::to_owned);
            if texts.all(|text| text == first.as_deref()) {
                return Ok(first);
            }
            plan_err!("one {what} for all rows is expected")
        }
        ColumnarValue::Scalar(_) => plan_err!("the {what} is a text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("a time").as_microsecond()
    }

    fn start(unit: Unit, zone: &str, text: &str) -> String {
        let mut parts = Parts::new(unit, time_zone(zone).expect("a zone"));
        let start = parts.start_of(at(text)).expect("a start");
        Timestamp::from_microsecond(start).expect("a time").to_string()
    }

    #[test]
    fn a_part_begins_where_the_clocks_of_its_zone_say() {
        let new_york = "America/New_York";
        for (unit, zone, instant, expected) in [
            // Clocks go back: the hour from one to two is there twice, the day has 25 hours.
            (Unit::Hour, new_york, "2026-11-01T05:59:59Z", "2026-11-01T05:00:00Z"),
            (Unit::Hour, new_york, "2026-11-01T06:00:00Z", "2026-11-01T06:00:00Z"),
            (Unit::Day, new_york, "2026-11-02T04:59:59.999999Z", "2026-11-01T04:00:00Z"),
            (Unit::Day, new_york, "2026-11-02T05:00:00Z", "2026-11-02T05:00:00Z"),
            // They go forward: 23 hours, and the hour from two to three is not there.
            (Unit::Hour, new_york, "2026-03-08T07:30:00Z", "2026-03-08T07:00:00Z"),
            (Unit::Day, new_york, "2026-03-09T03:59:59Z", "2026-03-08T05:00:00Z"),
            (Unit::Day, new_york, "2026-03-09T04:00:00Z", "2026-03-09T04:00:00Z"),
            (Unit::Week, new_york, "2026-11-01T12:00:00Z", "2026-10-26T04:00:00Z"),
            (Unit::Week, new_york, "2026-11-02T05:00:00Z", "2026-11-02T05:00:00Z"),
            (Unit::Month, new_york, "2026-11-30T12:00:00Z", "2026-11-01T04:00:00Z"),
            (Unit::Month, new_york, "2026-11-01T03:59:59Z", "2026-10-01T04:00:00Z"),
            // Half hours, and a clock change of half an hour.
            (Unit::Hour, "Asia/Kolkata", "2026-11-22T12:15:00Z", "2026-11-22T11:30:00Z"),
            (Unit::Day, "Asia/Kolkata", "2026-11-22T18:30:00Z", "2026-11-22T18:30:00Z"),
            (Unit::Hour, "Australia/Lord_Howe", "2026-04-04T15:10:00Z", "2026-04-04T14:00:00Z"),
            (Unit::Hour, "Australia/Lord_Howe", "2026-04-04T15:30:00Z", "2026-04-04T15:30:00Z"),
            // Midnight is not there.
            (Unit::Day, "Africa/Cairo", "2026-04-24T10:00:00Z", "2026-04-23T22:00:00Z"),
            (Unit::Day, "Pacific/Kiritimati", "2026-11-22T09:59:59Z", "2026-11-21T10:00:00Z"),
            (Unit::Week, "UTC", "2026-11-22T23:59:59Z", "2026-11-16T00:00:00Z"),
        ] {
            assert_eq!(start(unit, zone, instant), expected, "{unit:?} {zone} {instant}");
        }
    }

    /// Whatever was asked before, an instant has one start.
    #[test]
    fn what_is_remembered_changes_nothing() {
        for zone in ["America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/St_Johns"]
        {
            for unit in [Unit::Hour, Unit::Day, Unit::Week, Unit::Month] {
                let zone = time_zone(zone).expect("a zone");
                let mut remembering = Parts::new(unit, zone.clone());
                let first = at("2026-01-01T00:00:00Z");
                let mut before = i64::MIN;
                for step in 0..24 * 366 * 2 {
                    let micros = first + step * MICROS_PER_HOUR / 2;
                    let start = remembering.start_of(micros).expect("a start");
                    let fresh = Parts::new(unit, zone.clone()).cut(micros).expect("a start");
                    assert_eq!(start, fresh, "{unit:?} {zone:?} {micros}");
                    assert!(start >= before && start <= micros);
                    before = start;
                }
            }
        }
    }

    #[test]
    fn only_names_of_zones_are_taken() {
        for name in ["America/New_York", "UTC", "Asia/Kolkata", "Europe/Berlin"] {
            assert!(time_zone(name).is_ok(), "{name}");
        }
        for name in ["", "Mars/Olympus", "' OR 1=1 --", "../../etc/passwd", "Etc/Unknown", "\0"] {
            assert!(time_zone(name).is_err(), "{name}");
        }
    }
}
