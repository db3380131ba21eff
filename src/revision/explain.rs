//! How the cost of stored calls came about, by a book that is at hand.
//!
//! In: rows of `calls`, as `sql/call.sql` answers them. Out: each call with what was stored of it
//! and how the book prices it now. Never: another tenant's rows, which never were in the answer, or
//! another tenant's terms, which price nobody else's call.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Decimal128Type;

use super::RevisionError;
use super::stored::{Stored, named, stored, texts};
use crate::attribution::UNATTRIBUTED;
use crate::money::Usd;
use crate::pricing::{Explanation, PriceBook};
use crate::usage;

/// The calls of an event id, with all that metering reads of them.
pub const CALL: &str = include_str!("../../sql/call.sql");

/// A stored call and how its cost comes about.
#[derive(Debug, Clone)]
pub struct ExplainedCall {
    /// Whose event ids these are.
    pub namespace: String,
    /// Which sender's.
    pub source: String,
    /// Its id.
    pub event_id: String,
    /// When it was made.
    pub occurred_at: String,
    /// Who it is for.
    pub tenant: Option<String>,
    /// Who answered, and the model as it was named.
    pub provider: String,
    /// The model as the response named it.
    pub model: String,
    /// What was stored as its cost.
    pub stored_cost: Option<Usd>,
    /// How that came about.
    pub stored_status: String,
    /// The version of the book that it was priced by.
    pub stored_version: Option<String>,
    /// How the book at hand prices it; or why its usage cannot be read any more.
    pub explanation: Result<Explanation, String>,
}

impl ExplainedCall {
    /// Whether the book at hand makes the stored cost of it.
    pub fn agrees(&self) -> bool {
        let explained = self.explanation.as_ref();
        explained.is_ok_and(|it| {
            it.cost.cost == self.stored_cost && it.cost.status.name() == self.stored_status
        })
    }
}

/// The calls of a batch, explained.
///
/// # Errors
/// [`RevisionError::Lake`] when these are no rows of [`CALL`].
pub fn explained(
    rows: &RecordBatch,
    book: &PriceBook,
) -> Result<Vec<ExplainedCall>, RevisionError> {
    let costs = named(rows, "cost_usd")?.as_primitive_opt::<Decimal128Type>();
    let costs = costs.ok_or_else(|| RevisionError::misfit("`cost_usd` is no cost"))?;
    let (statuses, versions) = (texts(rows, "cost_status")?, texts(rows, "price_book_version")?);
    let calls = stored(rows)?.into_iter().enumerate().map(|(place, call)| {
        let cost = costs.is_valid(place).then(|| Usd::from_pico(costs.value(place)));
        let text = |column: &arrow::array::StringArray| {
            column.is_valid(place).then(|| column.value(place).to_owned())
        };
        let explanation = explain(&call, book);
        let Stored { event, namespace, attribution, .. } = call;
        ExplainedCall {
            namespace,
            source: event.source,
            event_id: event.event_id,
            occurred_at: event.occurred_at.to_string(),
            tenant: attribution.who.tenant,
            provider: event.provider,
            model: event.model,
            stored_cost: cost,
            stored_status: text(statuses).unwrap_or_default(),
            stored_version: text(versions),
            explanation,
        }
    });
    Ok(calls.collect())
}

fn explain(call: &Stored, book: &PriceBook) -> Result<Explanation, String> {
    if !call.is_readable {
        return Err("its usage was stored in a form that cannot be read any more".to_owned());
    }
    let usage = usage::normalize(&call.event).map_err(|why| why.to_string())?;
    let tenant = call.attribution.who.tenant.as_deref();
    let tenant = tenant.filter(|tenant| *tenant != UNATTRIBUTED);
    Ok(book.explanation(&call.event, &usage, tenant))
}
