//! One sentence for a person.

use super::{Anomaly, Scope};
use crate::money::Usd;
use crate::time::Timestamp;

/// Says what was spent, what was expected and who drove it.
pub(super) fn sentence(anomaly: &Anomaly, hours: usize) -> String {
    let who = match &anomaly.scope {
        Scope::Tenant { tenant } => tenant.clone(),
        Scope::TenantModel { tenant, model } => format!("{tenant} on {model}"),
    };
    let spell = match hours {
        1 => "1 hour".to_owned(),
        hours => format!("{hours} hours"),
    };
    let mut text = format!(
        "{who} spent {} USD in {spell} {}, {} USD over the {} USD expected at most",
        cents(anomaly.actual),
        between(anomaly.window.start, anomaly.window.end),
        cents(anomaly.excess()),
        cents(anomaly.expected),
    );
    if let Some(largest) = anomaly.contributors.first() {
        text.push_str(&format!(
            "; {} % of the excess is {} {}",
            largest.share_percent,
            largest.dimension.replace('_', " "),
            largest.value,
        ));
    }
    text
}

/// `on 2026-11-22 from 02:00 to 05:00 UTC`, with both dates where they differ.
fn between(start: Timestamp, end: Timestamp) -> String {
    let time = |at: Timestamp| at.to_string().chars().skip(11).take(5).collect::<String>();
    if start.day_start() == end.plus_micros(-1).day_start() {
        return format!("on {} from {} to {} UTC", start.date(), time(start), time(end));
    }
    format!("from {} {} to {} {} UTC", start.date(), time(start), end.date(), time(end))
}

/// An amount to the cent, as people read it; what is less than a cent says so.
fn cents(amount: Usd) -> String {
    const PICO_PER_CENT: i128 = 10_000_000_000;
    let pico = amount.pico();
    if pico > 0 && pico < PICO_PER_CENT {
        return "less than 0.01".to_owned();
    }
    let cents = pico.saturating_add(PICO_PER_CENT / 2).div_euclid(PICO_PER_CENT);
    format!("{}.{:02}", cents / 100, cents.rem_euclid(100))
}
