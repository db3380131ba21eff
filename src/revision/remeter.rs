//! Metering stored rows again: under another book, other rules, or for what-if another model.
//!
//! In: rows of `calls`, and the terms. Out: the rows that come out otherwise. What metering does
//! not decide (identity, lineage, the call itself) stays as it is. A row whose only difference is
//! the book's version stays too: it was priced by that one, to the same result.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::kernels::cmp::distinct;
use arrow::compute::take;
use arrow::datatypes::Decimal128Type;

use super::change::{Change, Changed};
use super::columns::{ATTRIBUTED, BOOK, METERED};
use super::difference::{Difference, Group};
use super::stored::{Stored, instants, named, stored, texts};
use super::{RevisionError, Scope};
use crate::attribution::Rules;
use crate::charge::Charge;
use crate::event::{CallEvent, Identity, Lineage, Rejection};
use crate::lake::{CallRow, DataFile, Rows};
use crate::money::Usd;
use crate::pricing::PriceBook;
use crate::usage;

/// Under which terms rows are metered again.
#[derive(Debug)]
pub struct Terms {
    /// The price book.
    pub book: PriceBook,
    /// The rules that say who a call is for; `None`: that stays as it is.
    pub rules: Option<Rules>,
    /// For what-if: the model that would have answered, by the one that did. `provider/model`
    /// names another provider's.
    pub models: BTreeMap<String, String>,
}

/// Meters rows again.
#[derive(Debug, Clone)]
pub(super) struct Remeter<'a> {
    scope: &'a Scope,
    terms: &'a Terms,
    /// What comes out of it so far.
    pub difference: Difference,
}

impl<'a> Remeter<'a> {
    /// Nothing metered yet.
    pub fn new(scope: &'a Scope, terms: &'a Terms) -> Self {
        Self { scope, terms, difference: Difference::default() }
    }

    fn meter(&self, stored: Stored) -> Option<CallRow> {
        let at = stored.event.occurred_at;
        let charge = stored.is_readable.then(|| self.charge(stored).ok()).flatten()?;
        // Neither lineage nor arrival is taken from it.
        let lineage = Lineage { topic: String::new(), partition: 0, offset: 0, index: 0 };
        CallRow::new(charge, lineage, at).ok()
    }

    fn charge(&self, stored: Stored) -> Result<Charge, Rejection> {
        let Stored { event, namespace, attribution, noticed, .. } = stored;
        let mut usage = usage::normalize(&event)?;
        let attribution = match &self.terms.rules {
            Some(rules) => rules.attribute(&event, &attribution.sender(&namespace)),
            None => attribution,
        };
        let tenant = attribution.who.tenant.as_deref();
        let cost = match self.other_model(&event) {
            Some(other) => self.terms.book.rate(&other, &usage, tenant),
            None => self.terms.book.rate(&event, &usage, tenant),
        };
        noticed.into_iter().for_each(|flag| usage.flags.insert(flag));
        let identity = Identity { identity_hash: [0; 16], content_hash: [0; 16] };
        Ok(Charge { event, identity, namespace, usage, cost, attribution })
    }

    /// The event as if another model had answered it with the same tokens.
    fn other_model(&self, event: &CallEvent) -> Option<CallEvent> {
        let other = self.terms.models.get(&event.model)?;
        let mut event = event.clone();
        let (provider, model) = match other.split_once('/') {
            Some((provider, model)) => (Some(provider), model),
            None => (None, other.as_str()),
        };
        event.provider = provider.map_or(event.provider, str::to_owned);
        event.model = model.to_owned();
        event.request_model = None;
        Some(event)
    }

    /// The columns that these terms decide.
    fn decided(&self) -> impl Iterator<Item = &'static str> {
        let attributed = self.terms.rules.is_some().then_some(ATTRIBUTED);
        METERED.into_iter().chain(attributed.into_iter().flatten())
    }

    /// The batch with the decided columns as metered, and NULL where a row is not metered.
    fn metered(
        &self,
        rows: &RecordBatch,
        calls: Vec<Option<CallRow>>,
    ) -> Result<Option<RecordBatch>, RevisionError> {
        let mut metered = Rows::<CallRow>::default();
        let mut places = Vec::with_capacity(calls.len());
        for call in calls {
            let place = u32::try_from(metered.len()).ok().filter(|_| call.is_some());
            call.iter().for_each(|call| metered.push(call));
            places.push(place);
        }
        let Some(metered) = metered.finish()?.pop() else { return Ok(None) };
        let places = UInt32Array::from(places);
        let schema = rows.schema();
        let columns = schema.fields().iter().map(|field| {
            let name = field.name().as_str();
            if !self.decided().any(|decided| decided == name) {
                return Ok((name, named(rows, name)?.clone()));
            }
            Ok((name, take(named(&metered.rows, name)?, &places, None)?))
        });
        let columns = columns.collect::<Result<Vec<_>, RevisionError>>()?;
        Ok(Some(RecordBatch::try_from_iter(columns)?))
    }

    /// Which of the metered rows come out otherwise.
    fn differing(
        &self,
        old: &RecordBatch,
        new: &RecordBatch,
        is_metered: &[bool],
    ) -> Result<BooleanArray, RevisionError> {
        let mut differs = vec![false; old.num_rows()];
        for name in self.decided().filter(|name| *name != BOOK) {
            let (old, new) = (named(old, name)?, named(new, name)?);
            if old == new {
                continue;
            }
            if old.data_type().is_nested() {
                for (place, differs) in differs.iter_mut().enumerate() {
                    *differs |= old.slice(place, 1) != new.slice(place, 1);
                }
            } else {
                let distinct = distinct(old, new)?;
                differs.iter_mut().zip(distinct.values()).for_each(|(differs, is)| *differs |= is);
            }
        }
        let differing = differs.into_iter().zip(is_metered);
        Ok(differing.map(|(differs, is_metered)| Some(differs && *is_metered)).collect())
    }

    /// Counts a row of the scope.
    fn count(&mut self, before: (Group, Option<Usd>), after: Option<(Group, Option<Usd>)>) {
        let cost = after.as_ref().map_or(before.1, |(_, cost)| *cost);
        self.difference.read(before.1, cost);
        if let Some(after) = after {
            self.difference.changed(before, after);
        }
    }
}

impl Change for Remeter<'_> {
    fn may_touch(&self, file: &DataFile) -> bool {
        self.scope.may_have(file)
    }

    fn rows_changed(&self) -> u64 {
        self.difference.rows_changed
    }

    fn of(&mut self, rows: &RecordBatch) -> Result<Option<Changed>, RevisionError> {
        let in_scope = self.scope.of(rows)?;
        let stored = stored(rows)?.into_iter().zip(&in_scope);
        let calls: Vec<Option<CallRow>> =
            stored.map(|(stored, is_in)| is_in.then(|| self.meter(stored)).flatten()).collect();
        let is_metered: Vec<bool> = calls.iter().map(Option::is_some).collect();
        let refused = in_scope.iter().zip(&is_metered).filter(|(is_in, is)| **is_in && !**is);
        self.difference.rows_refused += refused.count() as u64;
        let changed = match self.metered(rows, calls)? {
            Some(new) => {
                let differs = self.differing(rows, &new, &is_metered)?;
                Changed::new(new, differs)
            }
            None => None,
        };
        for (place, before) in groups(rows)?.into_iter().enumerate() {
            if !in_scope.get(place).copied().unwrap_or_default() {
                continue;
            }
            let changed = changed.as_ref();
            let after = match changed.filter(|changed| changed.mask().value(place)) {
                Some(changed) => {
                    let tenant = texts(changed.rows(), "tenant")?.value(place).to_owned();
                    let group = Group { tenant, ..before.0.clone() };
                    Some((group, cost(costs(changed.rows())?, place)))
                }
                None => None,
            };
            self.count(before, after);
        }
        Ok(changed)
    }
}

/// The group and the cost of each row of a batch.
fn groups(rows: &RecordBatch) -> Result<Vec<(Group, Option<Usd>)>, RevisionError> {
    let (tenants, models) = (texts(rows, "tenant")?, texts(rows, "response_model")?);
    let costs = costs(rows)?;
    let group = |(place, at)| {
        (Group::new(tenants.value(place), models.value(place), at), cost(costs, place))
    };
    Ok(instants(rows, "occurred_at")?.enumerate().map(group).collect())
}

type Costs = arrow::array::PrimitiveArray<Decimal128Type>;

fn costs(rows: &RecordBatch) -> Result<&Costs, RevisionError> {
    let costs = named(rows, "cost_usd")?.as_primitive_opt::<Decimal128Type>();
    costs.ok_or_else(|| RevisionError::misfit("`cost_usd` is no amount"))
}

fn cost(costs: &Costs, row: usize) -> Option<Usd> {
    costs.is_valid(row).then(|| Usd::from_pico(costs.value(row)))
}
