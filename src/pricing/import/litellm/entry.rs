//! One entry of the map becomes prices and multipliers.

use std::collections::BTreeMap;

use super::key::{Key, is_no_price};
use super::special;
use crate::event::Json;
use crate::money::Decimal;
use crate::pricing::import::residue;
use crate::pricing::import::write::{Block, Group, Rate};
use crate::pricing::{Report, row::STANDARD};

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
            ..Group::default()
        }
    }

    /// The amount, with the digits that a float left behind rounded away and remarked.
    pub(super) fn rate(&self, amount: Decimal, report: &mut Report) -> Rate {
        residue::rate(amount, None, self.key, report)
    }
}

/// Two entries of one model, merged: what both have is taken from the first.
pub(super) fn merge(first: &mut Block, second: Block, report: &mut Report) {
    for (group, rates) in second.groups {
        let known: &mut BTreeMap<String, Rate> = first.groups.entry(group).or_default();
        for (name, rate) in rates {
            let model = format!("{}/{}: {name}", first.provider, first.names.join(", "));
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
