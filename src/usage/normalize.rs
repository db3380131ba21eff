//! Turns what an event reports into what was used.

use std::collections::BTreeMap;

use super::block::{self, Block};
use super::dialect::{self, Fields};
use super::reading::{Reading, Units};
use super::tier::service_tier;
use super::{Flags, Usage, UsageStatus, response};
use crate::event::{CallEvent, CallStatus, Json, Rejection};
use crate::money::Decimal;

/// APIs that serve batches: whatever tier a response names, the batch price counts.
const BATCH_APIS: [&str; 3] = ["batch", "message_batches", "batchGenerateContent"];

/// Turns an event's usage block into disjoint classes.
///
/// Absent, null and empty counters are [`UsageStatus::UnknownUsage`], never zeros.
///
/// # Errors
/// A [`Rejection`] when the counts are impossible (`invalid_usage`), or when there are counts that
/// no dialect can read (`unsupported_dialect`).
pub fn normalize(event: &CallEvent) -> Result<Usage, Rejection> {
    let responses = response::gather(event.usage.as_ref().unwrap_or(&Json::Null))?;
    if responses.is_empty() {
        return Ok(finish(unknown(event), event));
    }
    let (dialect, is_inferred) = dialect::choose(event, &Fields(response::fields(&responses)))?;
    let mut usage = Usage { dialect: dialect.name.to_owned(), ..unknown(event) };
    usage.status = UsageStatus::Complete;
    for response in &responses {
        let merged = response.merged(dialect.update);
        let mut reading = (dialect.read)(&Block::new(&merged), event)?;
        reading.is_partial |= (dialect.is_cut_short)(response.kinds());
        if reading.service_tier.is_none() {
            reading.service_tier = response.tier().map(str::to_owned);
        }
        absorb(&mut usage, reading, dialect.reporter(event))?;
    }
    if is_inferred {
        usage.flags.insert("dialect_inferred");
    }
    add_context_units(&mut usage, (dialect.units)(event)?);
    check_totals(&usage)?;
    Ok(finish(usage, event))
}

fn unknown(event: &CallEvent) -> Usage {
    Usage {
        requests: Vec::new(),
        status: UsageStatus::UnknownUsage,
        dialect: dialect::declared(event).map_or("", |dialect| dialect.name).to_owned(),
        service_tier: None,
        facts: BTreeMap::new(),
        reported_cost: None,
        flags: Flags::default(),
    }
}

fn absorb(usage: &mut Usage, reading: Reading, reporter: &str) -> Result<(), Rejection> {
    usage.requests.extend(reading.requests);
    if reading.is_partial {
        usage.status = UsageStatus::Partial;
    } else if reading.is_totals_only && usage.status == UsageStatus::Complete {
        usage.status = UsageStatus::TotalsOnly;
    }
    usage.service_tier = reading.service_tier.or(usage.service_tier.take());
    usage.facts.extend(reading.facts);
    usage.flags.extend(&reading.flags);
    if let Some(cost) = reading.reported_cost {
        let so_far = usage.reported_cost.take().map_or(Decimal::ZERO, |(cost, _)| cost);
        let cost = so_far.checked_add(cost);
        let cost = cost.ok_or_else(|| block::invalid("the reported costs have too many digits"))?;
        usage.reported_cost = Some((cost, reporter.to_owned()));
    }
    Ok(())
}

fn add_context_units(usage: &mut Usage, units: Units) {
    let Some(answer) = usage.requests.last_mut() else { return };
    for (name, quantity) in units.into_iter().filter(|(_, quantity)| *quantity > 0) {
        answer.units.insert(name.to_owned(), quantity.into());
    }
}

/// Every sum that the tables store must fit its column.
fn check_totals(usage: &Usage) -> Result<(), Rejection> {
    let counts = usage.requests.iter().flat_map(|request| request.tokens.present());
    block::sum(&counts.map(|(_, tokens)| tokens).collect::<Vec<_>>()).map(|_| ())
}

fn finish(mut usage: Usage, event: &CallEvent) -> Usage {
    if usage.requests.is_empty() {
        usage.status = UsageStatus::UnknownUsage;
        if event.status == CallStatus::Failed {
            usage.flags.insert("call_failed");
        }
    } else if event.status == CallStatus::Aborted {
        usage.status = UsageStatus::Partial;
    }
    usage.service_tier = match event.api.as_deref() {
        Some(api) if BATCH_APIS.contains(&api) => Some("batch".to_owned()),
        _ => usage.service_tier.map(|tier| service_tier(&tier)),
    };
    usage
}
