//! Who drove an incident: by value of each drill-down dimension, the spend beyond what is usual.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::incident::Hour;
use super::series::plus;
use super::{Contribution, HourCost, Scope};
use crate::money::Usd;

/// The most values that are named of one dimension.
const VALUES_MAX: usize = 3;

/// The largest contributors, largest first.
///
/// Usual is the mean of the hours that the first one was compared with, so that within one
/// dimension the excesses of all values sum to the whole excess, of which each gets its share.
pub(super) fn contributors<'a>(
    scope: &Scope,
    over: impl Iterator<Item = &'a Hour<'a>> + Clone,
    usual: &[&HourCost],
) -> Vec<Contribution> {
    let hours = i128::try_from(over.clone().count()).unwrap_or(i128::MAX);
    let compared = i128::try_from(usual.len().max(1)).unwrap_or(i128::MAX);
    let beyond = |actual: Usd, usual: Usd| {
        let expected = usual.pico().saturating_mul(hours) / compared;
        Usd::from_pico(actual.pico().saturating_sub(expected))
    };
    let total = |costs: &mut dyn Iterator<Item = Usd>| costs.fold(Usd::ZERO, plus);
    let whole = beyond(
        total(&mut over.clone().map(|hour| hour.cost.cost)),
        total(&mut usual.iter().map(|hour| hour.cost)),
    );
    let actual = by_value(over.map(|hour| hour.cost));
    let expected = by_value(usual.iter().copied());
    let is_drilled =
        |dimension: &str| !(dimension == "model" && matches!(scope, Scope::TenantModel { .. }));
    let mut found: Vec<Contribution> = actual
        .into_iter()
        .filter(|((dimension, _), _)| is_drilled(dimension))
        .map(|((dimension, value), cost)| {
            let usual = expected.get(&(dimension, value)).copied().unwrap_or_default();
            let excess = beyond(cost, usual);
            let share_percent = share(excess, whole);
            let (dimension, value) = (dimension.to_owned(), value.to_owned());
            Contribution { dimension, value, excess, share_percent }
        })
        .filter(|contribution| contribution.excess > Usd::ZERO)
        .collect();
    found.sort_by(|a, b| {
        let key = |c: &Contribution| (Reverse(c.excess), c.dimension.clone(), c.value.clone());
        key(a).cmp(&key(b))
    });
    let mut named: BTreeMap<String, usize> = BTreeMap::new();
    found.retain(|contribution| {
        let count = named.entry(contribution.dimension.clone()).or_default();
        *count += 1;
        *count <= VALUES_MAX
    });
    found
}

type ByValue<'a> = BTreeMap<(&'a str, &'a str), Usd>;

fn by_value<'a>(hours: impl Iterator<Item = &'a HourCost>) -> ByValue<'a> {
    let mut sums = ByValue::new();
    for ((dimension, value), cost) in hours.flat_map(|hour| &hour.by) {
        let sum = sums.entry((dimension, value)).or_default();
        *sum = plus(*sum, *cost);
    }
    sums
}

/// Percent of the whole, rounded half up; more than all of it, where others fell, is 100.
fn share(part: Usd, whole: Usd) -> u8 {
    let whole = whole.pico().max(1);
    let percent = part.pico().max(0).saturating_mul(200).saturating_add(whole) / (2 * whole);
    u8::try_from(percent.min(100)).unwrap_or(100)
}
