//! The plain detector: an hour far over the scope's own high hours.
//!
//! In: one scope's closed hours, and the incidents known of it. Out: the revisions to be published.
//! Pure: the same hours in any order give the same revisions, and what was published once is not
//! published again. Never: a float, a clock.
//!
//! The rule: an hour is over when it cost more than `times` the expected and at least
//! `excess_usd_min` more than it; expected is the percentile (nearest rank) of the scope's own
//! hours in the trailing week, the first of which must lie `history_hours_min` back. Hours without
//! spend do not count: a job that runs once a day is compared with its runs, not with its pauses.
//! Hours of an incident do not count either, so that it cannot raise its own bar; spend that stays
//! up for a week has nothing left to be compared with, ends its incident and is the new normal.

use std::collections::BTreeMap;

use super::incident::{self, Hour, Incident};
use super::series::plus;
use super::{Anomaly, DetectorConfig, HourCost, IncidentState, Series};
use crate::money::Usd;
use crate::time::{Timestamp, Window};

/// Hours over the threshold with at most this between them are one incident.
const EPISODE_GAP_HOURS: i64 = 24;
const HOUR_SECONDS: i64 = 3_600;

/// The plain detector.
#[derive(Debug, Clone, Default)]
pub struct Detector {
    config: DetectorConfig,
}

impl Detector {
    /// A detector of this configuration.
    pub const fn new(config: DetectorConfig) -> Self {
        Self { config }
    }

    /// Its name and version: `p95x3/1`. Another version is another identity of what it finds.
    pub fn name(&self) -> String {
        format!("p{}x{}/1", self.config.percentile, self.config.times)
    }

    /// How far before `judge_from` the hours of a series should reach: the longest incident that
    /// may be judged again, and what its first hour is compared with.
    pub fn history_seconds(&self) -> i64 {
        HOUR_SECONDS * (2 * i64::from(self.config.trailing_hours) + EPISODE_GAP_HOURS)
    }

    /// The new revisions of a scope's incidents, in order of their windows.
    ///
    /// `known` holds the highest revision of each incident of the scope that ended within the span
    /// of the series, or is open.
    pub fn detect(&self, series: &Series, known: &[Anomaly]) -> Vec<Anomaly> {
        let name = self.name();
        let of_scope = |known: &&Anomaly| known.scope == series.scope && known.detector == name;
        let mut known: Vec<&Anomaly> = known.iter().filter(of_scope).collect();
        known.sort_by_key(|known| (known.window.start, known.anomaly_id));
        let hours = by_hour(series);
        let judge_from = reopened(&known, series.judge_from.min(series.until));
        let (again, settled): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|known| is_near(known.window, judge_from));
        let judged = self.judge(&hours, judge_from, &settled);
        let mut continued = Vec::new();
        let mut found = Vec::new();
        for incident in episodes(judged) {
            let earlier = again.iter().find(|known| is_same(known.window, incident.window()));
            let now = incident.anomaly(series, &name, earlier.map(|known| known.anomaly_id));
            continued.push(now.anomaly_id);
            found.extend(revised(earlier.copied(), now));
        }
        let is_gone = |known: &&&Anomaly| {
            known.state == IncidentState::Open && !continued.contains(&known.anomaly_id)
        };
        let gone = again.iter().chain(&settled).filter(is_gone);
        found.extend(gone.map(|known| incident::ended(known)));
        found.sort_by_key(|anomaly| (anomaly.window.start, anomaly.anomaly_id));
        found
    }

    /// The hours that are over, each with what it was compared with.
    fn judge<'a>(
        &self,
        hours: &'a BTreeMap<Timestamp, HourCost>,
        from: Timestamp,
        settled: &[&Anomaly],
    ) -> Vec<Hour<'a>> {
        let mut over: Vec<Hour> = Vec::new();
        let mut left_out: Vec<Window> = settled.iter().map(|known| known.window).collect();
        for (start, hour) in hours.range(from..) {
            let trailing = HOUR_SECONDS * i64::from(self.config.trailing_hours);
            let before = hours.range(start.plus_seconds(-trailing)..*start);
            let usual = before.filter(|(start, hour)| {
                hour.cost > Usd::ZERO && !left_out.iter().any(|window| window.contains(**start))
            });
            let usual: Vec<&HourCost> = usual.map(|(_, hour)| hour).collect();
            let Some((expected, threshold)) = self.threshold(*start, &usual) else { continue };
            let excess = hour.cost.checked_sub(expected);
            if hour.cost > threshold && excess >= Some(self.config.excess_usd_min) {
                extend_episodes(&mut left_out, Window::hour_of(*start));
                over.push(Hour { cost: hour, expected, threshold, usual });
            }
        }
        over
    }

    /// What is expected of an hour at most, and what it must not go over; `None` while there is too
    /// little history.
    fn threshold(&self, hour: Timestamp, usual: &[&HourCost]) -> Option<(Usd, Usd)> {
        let history = HOUR_SECONDS * i64::from(self.config.history_hours_min);
        if usual.first()?.hour.plus_seconds(history) > hour {
            return None;
        }
        let mut costs: Vec<Usd> = usual.iter().map(|hour| hour.cost).collect();
        costs.sort_unstable();
        let rank = (costs.len() * usize::from(self.config.percentile.min(100))).div_ceil(100);
        let expected = *costs.get(rank.saturating_sub(1))?;
        let bar = expected.pico().checked_mul(i128::from(self.config.times))?;
        Some((expected, Usd::from_pico(bar)))
    }
}

/// The closed hours in order; an hour that was given in parts is their sum.
fn by_hour(series: &Series) -> BTreeMap<Timestamp, HourCost> {
    let mut hours: BTreeMap<Timestamp, HourCost> = BTreeMap::new();
    for part in series.hours.iter().filter(|hour| hour.hour < series.until) {
        let start = part.hour.hour_start();
        let empty = || HourCost { hour: start, cost: Usd::ZERO, calls: 0, by: BTreeMap::new() };
        let hour = hours.entry(start).or_insert_with(empty);
        hour.cost = plus(hour.cost, part.cost);
        hour.calls = hour.calls.saturating_add(part.calls);
        for (value, cost) in &part.by {
            let slot = hour.by.entry(value.clone()).or_default();
            *slot = plus(*slot, *cost);
        }
    }
    hours
}

/// Judging starts with the first hour of an incident that may still grow.
fn reopened(known: &[&Anomaly], judge_from: Timestamp) -> Timestamp {
    let near = known.iter().filter(|known| is_near(known.window, judge_from));
    near.map(|known| known.window.start).min().unwrap_or(judge_from).min(judge_from)
}

fn is_near(window: Window, from: Timestamp) -> bool {
    window.end.plus_seconds(HOUR_SECONDS * EPISODE_GAP_HOURS) >= from
}

fn is_same(a: Window, b: Window) -> bool {
    let gap = HOUR_SECONDS * EPISODE_GAP_HOURS;
    a.start <= b.end.plus_seconds(gap) && b.start <= a.end.plus_seconds(gap)
}

/// Makes a window part of the last episode, or the next one.
fn extend_episodes(episodes: &mut Vec<Window>, window: Window) {
    match episodes.last_mut().filter(|last| is_same(**last, window)) {
        Some(last) => last.end = last.end.max(window.end),
        None => episodes.push(window),
    }
}

fn episodes(over: Vec<Hour<'_>>) -> Vec<Incident<'_>> {
    let mut incidents: Vec<Incident> = Vec::new();
    for hour in over {
        let window = Window::hour_of(hour.cost.hour);
        match incidents.last_mut().filter(|last| is_same(last.window(), window)) {
            Some(last) => last.push(hour),
            None => incidents.push(Incident::new(hour)),
        }
    }
    incidents
}

/// The next revision, if there is anything new to say.
fn revised(earlier: Option<&Anomaly>, mut now: Anomaly) -> Option<Anomaly> {
    if let Some(earlier) = earlier {
        now.revision = earlier.revision;
        if now == *earlier {
            return None;
        }
        now.revision = earlier.revision.saturating_add(1);
    }
    Some(now)
}
