//! One entry of the map becomes prices and multipliers.

use std::collections::BTreeMap;

use super::key::{Key, is_no_price};
use super::special;
use crate::event::Json;
use crate::money::Decimal;
use crate::pricing::import::write::{Block, Group, Rate};
use crate::pricing::{Report, row::STANDARD};

/// The most significant digits that a price keeps; more are what a binary float left behind.
const DIGITS_MAX: usize = 14;

/// An entry of the map, its provider and model under the book's names.
pub(super) struct Entry<'a> {
    pub key: &'a str,
    pub provider: &'a str,
    pub model: &'a str,
    pub fields: &'a Json,
}

impl Entry<'_> {
    pub(super) fn text(&self, field: &str) -> &str {
        self.fields.field(field).and_then(Json::as_text).unwrap_or_default()
    }

    pub(super) fn number(&self, field: &str) -> Option<Decimal> {
        self.fields.field(field).and_then(Json::as_number)
    }

    /// The entry as a block of a book file; what could not be mapped goes to the report.
    pub(super) fn block(&self, report: &mut Report) -> Block {
        let mut block = Block::new(self.provider, self.model, self.text("source"));
        for (field, value) in self.fields.as_object().unwrap_or_default() {
            if is_no_price(field) {
                continue;
            }
            let known = match value {
                Json::Number(amount) => self.number_field(field, *amount, &mut block, report),
                _ => special::nested_field(self, field, value, &mut block, report),
            };
            if !known {
                report.add("unknown_key", || format!("{}: {field}", self.key));
            }
        }
        block
    }

    fn number_field(
        &self,
        field: &str,
        amount: Decimal,
        block: &mut Block,
        report: &mut Report,
    ) -> bool {
        if amount.is_negative() {
            return false;
        }
        let key = Key::parse(field);
        if let Some(class) = key.token_class() {
            let rate = self.rate(amount, report);
            block.add(self.group(&key), class, rate);
            return true;
        }
        if special::multiplier_field(self, field, amount, block) {
            return true;
        }
        match special::unit(self, &key) {
            special::Unit::Priced(name, per) => {
                let rate = Rate { per, ..self.rate(amount, report) };
                block.add(self.group(&key), &name, rate);
                true
            }
            special::Unit::Elsewhere => true,
            special::Unit::Unknown => false,
        }
    }

    pub(super) fn group(&self, key: &Key<'_>) -> Group {
        Group {
            tier: key.tier.unwrap_or(STANDARD).to_owned(),
            context: key.context(self.provider),
            hours: Vec::new(),
        }
    }

    /// The amount, with the digits that a float left behind rounded away and remarked.
    pub(super) fn rate(&self, amount: Decimal, report: &mut Report) -> Rate {
        let (amount, float_residue) = without_residue(amount);
        if float_residue {
            report.add("float_residue", || format!("{}: {amount}", self.key));
        }
        Rate { amount, per: None, float_residue }
    }
}

fn without_residue(amount: Decimal) -> (Decimal, bool) {
    let digits = amount.mantissa().unsigned_abs().to_string().len();
    let Some(excess) = digits.checked_sub(DIGITS_MAX).filter(|excess| *excess > 0) else {
        return (amount, false);
    };
    let scale = u32::try_from(excess).ok().and_then(|excess| amount.scale().checked_sub(excess));
    let rounded = scale.and_then(|scale| Some(Decimal::new(amount.rounded(scale)?.0, scale)));
    rounded.map_or((amount, false), |rounded| (rounded, true))
}

/// Two entries of one model, merged: what both have is taken from the first.
pub(super) fn merge(first: &mut Block, second: Block, report: &mut Report) {
    for (group, rates) in second.groups {
        let known: &mut BTreeMap<String, Rate> = first.groups.entry(group).or_default();
        for (name, rate) in rates {
            let model = format!("{}/{}: {name}", first.provider, first.name);
            match known.get(&name) {
                Some(kept) if kept.amount != rate.amount => {
                    report.add("conflicting_entries", || model);
                }
                Some(_) => {}
                None => {
                    known.insert(name, rate);
                }
            }
        }
    }
    for multiplier in second.multipliers {
        if !first.multipliers.contains(&multiplier) {
            first.multipliers.push(multiplier);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn residue_of_binary_floats_is_rounded_away() {
        let clean = |text: &str| without_residue(text.parse().expect("a decimal"));
        for (text, rounded, residue) in [
            ("2.6000000000000003e-07", "0.00000026", true),
            ("1.25e-06", "0.00000125", false),
            ("0.000283333333333", "0.000283333333333", false),
            ("3.3333333333333335e-05", "0.000033333333333333", true),
        ] {
            let (amount, flagged) = clean(text);
            assert_eq!((amount.to_string().as_str(), flagged), (rounded, residue), "{text}");
        }
    }
}
