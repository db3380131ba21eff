//! What a careful reader would ask about a book: counted, never refused.

use std::collections::HashMap;
use std::sync::Arc;

use super::fallback;
use super::fraction::Fraction;
use super::row::{Item, Pattern, Price, PriceRow, STANDARD};
use super::sheet::Sheet;
use super::{LayerKind, PriceBook, Report};
use crate::usage::TokenClass;

impl PriceBook {
    /// What a careful reader would ask about: counts and examples; nothing here is an error.
    pub fn check(&self) -> Report {
        let mut report = Report::default();
        let mut sheets: Vec<_> = self.index.sheets().collect();
        sheets.sort_by_key(|sheet| (sheet.provider.clone(), sheet.model.clone()));
        sheets.iter().for_each(|sheet| check_sheet(sheet, &mut report));
        for row in &self.index.prices {
            let kinds = [
                ("undated", row.period.undated),
                ("float_residue", row.float_residue),
                ("correction", row.corrects.is_some()),
                ("amount_out_of_range", is_out_of_range(row)),
            ];
            for (kind, _) in kinds.into_iter().filter(|(_, holds)| *holds) {
                report.add(kind, || describe(row));
            }
        }
        report.remarks.sort_by_key(|remark| remark.kind);
        report
    }
}

/// Rows of one layer that count from one instant, under the same conditions: they should agree.
type Set<'a> = HashMap<(&'a str, &'a Item), &'a PriceRow>;

fn check_sheet(sheet: &Sheet, report: &mut Report) {
    let key = |row: &PriceRow| {
        let conditions = Arc::clone(&row.conditions);
        (row.place.layer, row.period.from, conditions, row.place.tenant.clone())
    };
    let mut sets: HashMap<_, Set<'_>> = HashMap::new();
    let literal = || sheet.rows().filter(|row| row.is_literal());
    for row in literal() {
        sets.entry(key(row)).or_default().insert((row.tier.as_ref(), &row.item), row);
    }
    for row in literal() {
        if let Some(set) = sets.get(&key(row)) {
            check_against_set(row, set, report);
        }
    }
    check_older_rows(sheet, report);
}

/// Compares a row with its relatives: a cheaper kind of token that costs more, a class that is
/// priced while what it falls back to is not.
fn check_against_set(row: &PriceRow, set: &Set<'_>, report: &mut Report) {
    let Item::Token(class) = &row.item else { return };
    let relative = |tier: &str, class: TokenClass| {
        let found = set.iter().find(|((t, item), _)| *t == tier && **item == Item::Token(class));
        found.map(|(_, row)| row.rate)
    };
    let above = |other: Option<Fraction>| other.is_some_and(|other| row.rate.exceeds(other));
    let below = |other: Option<Fraction>| other.is_some_and(|other| other.exceeds(row.rate));
    let standard = (row.tier.as_ref() != STANDARD).then(|| relative(STANDARD, *class)).flatten();
    let input = relative(&row.tier, TokenClass::InputText);
    let kinds = [
        ("cache_read_above_input", *class == TokenClass::CacheReadText && above(input)),
        ("batch_above_standard", matches!(&*row.tier, "batch" | "flex") && above(standard)),
        ("priority_below_standard", &*row.tier == "priority" && below(standard)),
        ("ancestor_unpriced", is_orphan(*class, row, set)),
        ("two_bases", has_two_bases(row, set)),
    ];
    for (kind, _) in kinds.into_iter().filter(|(_, holds)| *holds) {
        report.add(kind, || describe(row));
    }
}

/// Whether a class is priced while one that it is billed like is not: cached audio needs cached
/// text, audio and text. That a cache write of one lifetime is priced alone is no gap.
fn is_orphan(class: TokenClass, row: &PriceRow, set: &Set<'_>) -> bool {
    let priced = |like: TokenClass| set.contains_key(&(row.tier.as_ref(), &Item::Token(like)));
    let ancestors = fallback::billed_like(class).iter().filter(|like| **like != class);
    ancestors.filter(|like| **like != TokenClass::CacheWrite).any(|like| !priced(*like))
}

/// Two bases for one thing: tokens and seconds of audio are both priced, so that a call which
/// reports both would be charged twice.
fn has_two_bases(row: &PriceRow, set: &Set<'_>) -> bool {
    let unit = Item::from_name("audio_seconds");
    matches!(&row.item, Item::Token(TokenClass::InputAudio))
        && set.contains_key(&(row.tier.as_ref(), &unit))
}

/// Keys of an older set that a newer set of another layer does not have: they show through it.
fn check_older_rows(sheet: &Sheet, report: &mut Report) {
    let own = |row: &&Arc<PriceRow>| {
        row.place.kind == LayerKind::List && matches!(row.pattern, Pattern::Exact(_))
    };
    let newest = sheet.rows().filter(own).max_by_key(|row| (row.period.from, row.place.layer));
    let Some(newest) = newest.map(|row| row.place.layer) else { return };
    let rows = || sheet.rows().filter(own);
    for row in rows().filter(|row| row.place.layer != newest && row.period.to.is_none()) {
        if !rows().any(|other| other.place.layer == newest && other.same_key(row)) {
            report.add("shows_through", || describe(row));
        }
    }
}

/// Token prices lie between a hundredth of a cent and ten thousand USD per million, or are zero.
fn is_out_of_range(row: &PriceRow) -> bool {
    let (Item::Token(_), Price::Literal { amount, per, .. }) = (&row.item, &row.price) else {
        return false;
    };
    let per_million = Fraction::of(*amount, *per).and_then(|rate| rate.times_count(1_000_000));
    let range = [(1, 10_000), (10_000, 1)].map(|(above, below)| Fraction::new(above, below));
    match (per_million, range) {
        (Some(rate), [Some(least), Some(most)]) => {
            !rate.is_zero() && (least.exceeds(rate) || rate.exceeds(most))
        }
        _ => true,
    }
}

fn describe(row: &PriceRow) -> String {
    let price = match &row.price {
        Price::Literal { amount, per, currency } => format!("{amount} {currency} per {per}"),
        Price::Factor(factor) => format!("x {factor}"),
    };
    let tier = if row.tier.as_ref() == STANDARD { String::new() } else { format!(" {}", row.tier) };
    format!("{}/{}{tier} {}: {price}", row.provider, row.pattern, row.item.name())
}
