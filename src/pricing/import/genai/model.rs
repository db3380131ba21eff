//! One model's prices: a block for each period in which they count.

use std::collections::BTreeSet;

use super::key;
use crate::event::Json;
use crate::money::Decimal;
use crate::pricing::Report;
use crate::pricing::condition::ContextRange;
use crate::pricing::hours::Hours;
use crate::pricing::import::residue;
use crate::pricing::import::write::{Block, Group};
use crate::pricing::row::STANDARD;
use crate::pricing::zone::Zone;

/// What a model says beside its prices.
const MODEL_KEYS: [&str; 9] = [
    "id",
    "match",
    "name",
    "description",
    "context_window",
    "price_comments",
    "deprecated",
    "prices",
    "price_variants",
];
/// Where prices begin that have no date, beside others that do.
const EVER: &str = "1970-01-01";

/// A model of the catalog under the book's names.
pub(super) struct Model<'a> {
    pub provider: &'a str,
    pub names: Vec<String>,
    pub source_url: &'a str,
    pub fields: &'a Json,
}

/// A set of prices and when it counts.
struct Priced<'a> {
    /// From which date; `None`: always.
    start: Option<&'a str>,
    group: Group,
    prices: &'a Json,
}

impl<'a> Model<'a> {
    /// The model's prices as blocks of a book file; what could not be mapped goes to the report.
    pub(super) fn blocks(&self, report: &mut Report) -> Vec<Block> {
        for (key, _) in self.fields.as_object().unwrap_or_default() {
            if !MODEL_KEYS.contains(&key.as_str()) {
                report.add("unknown_key", || format!("{}: {key}", self.label()));
            }
        }
        let (base, variants) = (self.base(report), self.variants(report));
        let starts = context_starts(base.iter().chain(&variants));
        let mut blocks = self.base_blocks(&base, &starts, report);
        blocks.extend(self.variant_blocks(&base, &variants, &starts, report));
        blocks.retain(|block| !block.is_empty());
        blocks
    }

    fn label(&self) -> String {
        let name = self.names.first().map(String::as_str).unwrap_or_default();
        format!("{}/{name}", self.provider)
    }

    /// The sets of prices, of which the last that is active counts.
    fn base(&self, report: &mut Report) -> Vec<Priced<'a>> {
        let group = || Group { tier: STANDARD.to_owned(), ..Group::default() };
        match self.fields.field("prices") {
            Some(Json::Array(sets)) => {
                sets.iter().filter_map(|set| self.constrained(set, group(), report)).collect()
            }
            Some(prices) => vec![Priced { start: None, group: group(), prices }],
            None => Vec::new(),
        }
    }

    /// The sets that a service tier or another fact of the call selects, the first active one
    /// winning for each key.
    fn variants(&self, report: &mut Report) -> Vec<Priced<'a>> {
        let sets = self.fields.field("price_variants").and_then(Json::as_array);
        let mut variants: Vec<Priced<'a>> = Vec::new();
        for set in sets.unwrap_or_default() {
            let group = group_of(set.field("when"));
            let Some(priced) = self.constrained(set, group, report) else { continue };
            if priced.prices.as_object().is_none_or(<[_]>::is_empty) {
                continue;
            }
            let of_group = || variants.iter().filter(|other| other.group == priced.group);
            let hidden =
                of_group().any(|other| other.start.is_none_or(|it| Some(it) <= priced.start));
            let same_as_base = Group { tier: STANDARD.to_owned(), ..Group::default() };
            if hidden || priced.group == same_as_base {
                report.add("variant_hidden", || format!("{}: {set}", self.label()));
            } else {
                variants.push(priced);
            }
        }
        variants
    }

    /// A set with its constraint: a first day, or a time of day.
    fn constrained(
        &self,
        set: &'a Json,
        mut group: Group,
        report: &mut Report,
    ) -> Option<Priced<'a>> {
        let prices = set.field("prices")?;
        let Some(constraint) = set.field("constraint") else {
            return Some(Priced { start: None, group, prices });
        };
        let text = |key: &str| constraint.field(key).and_then(Json::as_text);
        if let Some(start) = text("start_date") {
            return Some(Priced { start: Some(start), group, prices });
        }
        let hours = text("start_time").zip(text("end_time"));
        let Some(hours) = hours.and_then(|(start, end)| hours_of(start, end)) else {
            report.add("unknown_key", || format!("{}: constraint {constraint}", self.label()));
            return None;
        };
        group.hours = vec![hours];
        Some(Priced { start: None, group, prices })
    }

    fn base_blocks(
        &self,
        base: &[Priced<'a>],
        starts: &BTreeSet<u64>,
        report: &mut Report,
    ) -> Vec<Block> {
        let dated = base.iter().any(|set| set.start.is_some());
        let mut blocks = Vec::new();
        for (place, set) in base.iter().enumerate() {
            let later = base.iter().skip(place + 1);
            let next = later.filter(|_| set.group.hours.is_empty()).find_map(|set| set.start);
            if next.is_some_and(|next| Some(next) <= set.start) {
                report.add("dates_out_of_order", || self.label());
                continue;
            }
            let mut block = self.block(set, dated);
            block.effective.1 = next.map(str::to_owned);
            self.add(&mut block, set, starts, report);
            blocks.push(block);
        }
        blocks
    }

    /// A key that a variant does not price keeps its standard price there.
    fn variant_blocks(
        &self,
        base: &[Priced<'a>],
        variants: &[Priced<'a>],
        starts: &BTreeSet<u64>,
        report: &mut Report,
    ) -> Vec<Block> {
        let mut blocks = Vec::new();
        for set in variants {
            let dated = variants.iter().any(|it| it.group == set.group && it.start.is_some());
            let mut block = self.block(set, dated);
            match base {
                [only] => {
                    let rest = Priced { group: set.group.clone(), ..*only };
                    self.add(&mut block, &rest, starts, &mut Report::default());
                    block.groups.values_mut().for_each(|it| it.retain(|name, _| is_token(name)));
                }
                _ => report.add("variant_incomplete", || self.label()),
            }
            self.add(&mut block, set, starts, report);
            blocks.push(block);
        }
        blocks
    }

    fn block(&self, set: &Priced<'_>, dated: bool) -> Block {
        let mut block = Block::new(self.provider, "", self.source_url);
        block.names.clone_from(&self.names);
        let comments = self.fields.field("price_comments").and_then(Json::as_text);
        comments.unwrap_or_default().clone_into(&mut block.note);
        let from = set.start.or(dated.then_some(EVER));
        block.effective.0 = from.map(str::to_owned);
        block
    }

    /// Adds each price, for every context tier of the model: one without tiers is the same in all.
    fn add(
        &self,
        block: &mut Block,
        set: &Priced<'_>,
        starts: &BTreeSet<u64>,
        report: &mut Report,
    ) {
        let model = self.names.first().map(String::as_str).unwrap_or_default();
        for (key, price) in set.prices.as_object().unwrap_or_default() {
            let item = key::item(self.provider, model, key);
            let (Some((name, per)), Some(base)) = (item, price_at(price, 0)) else {
                if *price != Json::Null {
                    report.add("unknown_key", || format!("{}: {key}", self.label()));
                }
                continue;
            };
            let mut put = |context: Option<ContextRange>, amount: Decimal| {
                let rate = residue::rate(amount, per, model, report);
                block.add(Group { context, ..set.group.clone() }, name, rate);
            };
            put(None, base);
            for start in starts.iter().filter(|_| is_token(name)) {
                let amount = price_at(price, *start).unwrap_or(base);
                put(Some(ContextRange::Above(*start)), amount);
            }
        }
    }
}

fn is_token(name: &str) -> bool {
    crate::usage::TokenClass::from_name(name).is_some()
}

/// The price of a prompt above `start` tokens: the highest tier that begins there or before.
fn price_at(price: &Json, start: u64) -> Option<Decimal> {
    if let Some(amount) = price.as_number() {
        return Some(amount).filter(|amount| !amount.is_negative());
    }
    let tiers = price.field("tiers").and_then(Json::as_array).unwrap_or_default();
    let begun = tiers.iter().filter_map(|tier| Some((tier_start(tier)?, tier.field("price")?)));
    let begun = begun.filter(|(begins, _)| start > 0 && *begins <= start);
    let highest = begun.max_by_key(|(begins, _)| *begins).map(|(_, price)| price);
    highest.or_else(|| price.field("base"))?.as_number()
}

fn tier_start(tier: &Json) -> Option<u64> {
    tier.field("start")?.as_number()?.to_count()
}

fn context_starts<'a>(sets: impl Iterator<Item = &'a Priced<'a>>) -> BTreeSet<u64> {
    let prices = sets.flat_map(|set| set.prices.as_object().unwrap_or_default());
    let tiers = prices.filter_map(|(_, price)| price.field("tiers")?.as_array()).flatten();
    tiers.filter_map(tier_start).collect()
}

/// What selects a variant: the service tier by either of its names, else a fact of the call.
fn group_of(when: Option<&Json>) -> Group {
    let mut group = Group { tier: STANDARD.to_owned(), ..Group::default() };
    for (fact, is) in when.and_then(Json::as_object).unwrap_or_default() {
        let is = is.as_text().unwrap_or_default();
        match fact.as_str() {
            "processing" | "service_tier" => group.tier = crate::usage::service_tier(is),
            fact => drop(group.when.insert(fact.to_owned(), is.to_owned())),
        }
    }
    group
}

/// Times of day: `16:30`, or `16:30:00Z` as JSON has them.
fn hours_of(start: &str, end: &str) -> Option<Hours> {
    let time = |text: &str| {
        let (time, rest) = text.split_at_checked(5)?;
        let zone = rest.strip_prefix(":00").unwrap_or(rest);
        let zone = if zone.is_empty() { Some(Zone::utc()) } else { Zone::parse(zone) };
        Some((time.to_owned(), zone?))
    };
    let ((start, zone), (end, end_zone)) = (time(start)?, time(end)?);
    let window = Hours::window(&format!("{start}-{end}"))?;
    (zone == end_zone).then(|| Hours { zone, weekdays: [true; 7], windows: vec![window] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tier_without_a_price_of_its_own_has_the_one_below() {
        let price = br#"{"base":1,"tiers":[{"start":10,"price":2},{"start":30,"price":3}]}"#;
        let price = Json::parse(price).expect("a price");
        for (start, amount) in [(0, "1"), (5, "1"), (10, "2"), (20, "2"), (30, "3"), (40, "3")] {
            assert_eq!(price_at(&price, start), amount.parse().ok(), "{start}");
        }
    }

    #[test]
    fn times_of_day_are_read_in_both_spellings() {
        let hours = hours_of("16:30", "00:30").expect("a window");
        assert_eq!(hours_of("16:30:00Z", "00:30:00Z"), Some(hours));
        assert_eq!(hours_of("16:30+08:00", "00:30Z"), None);
        assert_eq!(hours_of("é6:30", "00:30"), None);
    }
}
