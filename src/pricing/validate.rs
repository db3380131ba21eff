//! What a book is refused for: rows of one layer of which two would count at one instant.

use std::collections::HashMap;
use std::sync::Arc;

use super::condition::Conditions;
use super::read::{Book, line_of};
use super::row::{ANY, AliasRow, FxRow, Item, Pattern, Period, Place, PriceRow};
use super::{BookError, Layer, LayerKind};

/// What makes two rows of a layer rivals.
#[derive(PartialEq, Eq, Hash)]
struct Key<'a> {
    provider: &'a str,
    pattern: &'a Pattern,
    item: &'a Item,
    tier: &'a str,
    conditions: &'a Conditions,
    tenant: Option<&'a str>,
    deployment: Option<&'a str>,
    literal: bool,
}

impl<'a> Key<'a> {
    fn of(row: &'a PriceRow) -> Self {
        Self {
            provider: &row.provider,
            pattern: &row.pattern,
            item: &row.item,
            tier: &row.tier,
            conditions: &row.conditions,
            tenant: row.place.tenant.as_deref(),
            deployment: row.place.deployment.as_deref(),
            literal: row.is_literal(),
        }
    }
}

/// Refuses a book whose rows contradict each other.
pub(super) fn validate(layer: &Layer, book: &Book) -> Result<(), BookError> {
    let mut rivals: HashMap<Key<'_>, Vec<&PriceRow>> = HashMap::with_capacity(book.prices.len());
    for row in &book.prices {
        check_terms(layer, &row.place)?;
        rivals.entry(Key::of(row)).or_default().push(row);
    }
    let multipliers = book.multipliers.iter().map(|row| &row.place);
    for place in multipliers.chain(book.fx.iter().map(|row| &row.place)) {
        check_terms(layer, place)?;
    }
    validate_aliases(layer, &book.aliases)?;
    validate_fx(layer, &book.fx)?;
    for mut rows in rivals.into_values().filter(|rows| rows.len() > 1) {
        rows.sort_by_key(|row| row.period.from);
        for (earlier, later) in rows.iter().zip(rows.iter().skip(1)) {
            if overlap(&earlier.period, &later.period) {
                return Err(contradiction(layer, earlier, later));
            }
        }
    }
    Ok(())
}

fn validate_aliases(layer: &Layer, rows: &[AliasRow]) -> Result<(), BookError> {
    let mut rows: Vec<_> = rows.iter().collect();
    let key = |row: &AliasRow| {
        let (place, conditions) = (row.place.clone(), Arc::clone(&row.conditions));
        let elsewhere = (row.alias.as_ref() == ANY).then(|| row.to_provider.clone());
        let name = (row.provider.clone(), row.alias.clone(), elsewhere);
        (name, place.tenant, place.deployment, conditions)
    };
    rows.sort_by_key(|row| (key(row), row.period.from));
    for (one, other) in rows.iter().zip(rows.iter().skip(1)) {
        if key(one) == key(other) && overlap(&one.period, &other.period) {
            let message = format!("the alias `{}` stands for two models at once", other.alias);
            return Err(refused(layer, &other.place, message));
        }
    }
    Ok(())
}

fn validate_fx(layer: &Layer, rows: &[FxRow]) -> Result<(), BookError> {
    let mut rows: Vec<_> = rows.iter().collect();
    let key = |row: &FxRow| {
        (row.currency.clone(), row.place.tenant.clone(), row.place.deployment.clone())
    };
    rows.sort_by_key(|row| (key(row), row.period.from));
    for (one, other) in rows.iter().zip(rows.iter().skip(1)) {
        if key(one) == key(other) && overlap(&one.period, &other.period) {
            let message = format!("`{}` has two exchange rates at once", other.currency);
            return Err(refused(layer, &other.place, message));
        }
    }
    Ok(())
}

fn refused(layer: &Layer, place: &Place, message: impl Into<String>) -> BookError {
    BookError::new(&layer.name, Some(line_of(&layer.text, place.offset)), message)
}

/// An open end ends where the next row of its key begins; anything else that overlaps is ambiguous.
fn overlap(earlier: &Period, later: &Period) -> bool {
    earlier.from == later.from || earlier.to.is_some_and(|to| later.from < to)
}

fn contradiction(layer: &Layer, earlier: &PriceRow, later: &PriceRow) -> BookError {
    let (first, second) = (earlier.place.offset, later.place.offset);
    let line = |offset| line_of(&layer.text, offset);
    let message = format!(
        "`{}` of `{}/{}` has two prices at {} (the other in line {}): close one with \
         `effective_to`, or let one begin later",
        later.item.name(),
        later.provider,
        later.pattern,
        later.period.from,
        line(first.min(second)),
    );
    BookError::new(&layer.name, Some(line(first.max(second))), message)
}

/// An override is somebody's; the list is everybody's.
fn check_terms(layer: &Layer, place: &Place) -> Result<(), BookError> {
    let own = place.tenant.is_some() || place.deployment.is_some();
    let message = match (place.kind, own) {
        (LayerKind::Override, false) => "an override names its `tenant` or its `deployment`",
        (LayerKind::List, true) => {
            "list prices are everybody's: `tenant` and `deployment` need `layer = \"override\"`"
        }
        _ => return Ok(()),
    };
    Err(refused(layer, place, message))
}
