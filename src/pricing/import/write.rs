//! Writes a book file: compact TOML that a person can read and edit.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::money::Decimal;
use crate::pricing::condition::ContextRange;
use crate::pricing::hours::Hours;
use crate::pricing::row::STANDARD;
use crate::time::Timestamp;

/// A model's prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub provider: String,
    pub name: String,
    pub source_url: String,
    pub groups: BTreeMap<Group, BTreeMap<String, Rate>>,
    pub multipliers: Vec<Multiplier>,
}

/// What a group of rates has in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    pub context: Option<ContextRange>,
    pub hours: Vec<Hours>,
    pub tier: String,
}

/// One rate; its divisor where it is not the file's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rate {
    pub amount: Decimal,
    pub per: Option<u64>,
    pub float_residue: bool,
}

/// One factor on the token rates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Multiplier {
    pub name: &'static str,
    pub fact: &'static str,
    pub test: &'static str,
    pub factor: Decimal,
}

impl Block {
    pub(super) fn new(provider: &str, name: &str, source_url: &str) -> Self {
        Self {
            provider: provider.to_owned(),
            name: name.to_owned(),
            source_url: source_url.to_owned(),
            groups: BTreeMap::new(),
            multipliers: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, group: Group, name: &str, rate: Rate) {
        self.groups.entry(group).or_default().insert(name.to_owned(), rate);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.multipliers.is_empty()
    }

    pub(super) fn rates(&self) -> usize {
        self.groups.values().map(BTreeMap::len).sum()
    }

    /// Whether its images are priced by quality and size.
    pub(super) fn prices_images_by_size(&self) -> bool {
        self.groups.values().flat_map(BTreeMap::keys).any(|name| name.starts_with("image_"))
    }
}

/// The book file of an undated source: rates per single token, counting from `observed`.
pub(super) fn book(blocks: &[Block], observed: Timestamp, source: &str) -> String {
    let mut text = String::with_capacity(blocks.len() * 256);
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "# {source}, imported by tokenmeter: rates per token in USD as the map states them.\n\
         per = 1\nobserved = \"{observed}\"\nfetched_at = \"{observed}\"\nsource_text = {}",
        quoted(source),
    );
    blocks.iter().for_each(|block| write_block(&mut text, block));
    text
}

fn write_block(text: &mut String, block: &Block) {
    let (provider, name) = (quoted(&block.provider), quoted(&block.name));
    let _ = write!(text, "\n[[model]]\nprovider = {provider}\nname = {name}\n");
    if !block.source_url.is_empty() {
        let _ = writeln!(text, "source_url = {}", quoted(&block.source_url));
    }
    let (own, groups): (Vec<_>, Vec<_>) = block.groups.iter().partition(needs_variant);
    let (plain, variants): (Vec<_>, Vec<_>) = groups
        .into_iter()
        .partition(|(group, _)| group.context.is_none() && group.hours.is_empty());
    write_tiers(text, &plain);
    if !block.multipliers.is_empty() {
        let _ = writeln!(text, "multipliers = [{}]", multipliers(&block.multipliers));
    }
    for (group, rates) in own {
        let _ = writeln!(text, "[[model.variant]]\ntier = {}", quoted(&group.tier));
        write_conditions(text, group);
        let _ = writeln!(text, "rates = {{ {} }}", rate_list(rates));
        write_residue(text, rates);
    }
    let mut variants = variants.into_iter().peekable();
    while let Some((group, rates)) = variants.next() {
        let mut same = vec![(group, rates)];
        let alike = |other: &Group| other.context == group.context && other.hours == group.hours;
        while let Some(next) = variants.next_if(|(other, _)| alike(other)) {
            same.push(next);
        }
        text.push_str("[[model.variant]]\n");
        write_conditions(text, group);
        write_tiers(text, &same);
    }
}

type Rates<'a> = (&'a Group, &'a BTreeMap<String, Rate>);

fn write_tiers(text: &mut String, groups: &[Rates<'_>]) {
    let (standard, tiers): (Vec<_>, Vec<_>) =
        groups.iter().partition(|(group, _)| group.tier == STANDARD);
    for (_, rates) in standard {
        let _ = writeln!(text, "rates = {{ {} }}", rate_list(rates));
        write_residue(text, rates);
    }
    for (group, rates) in tiers {
        let _ = writeln!(text, "tiers.{} = {{ {} }}", group.tier, rate_list(rates));
    }
}

/// `tiers` states amounts only: rates of a tier that float residue was rounded away from need more.
fn needs_variant((group, rates): &Rates<'_>) -> bool {
    group.tier != STANDARD && rates.values().any(|rate| rate.float_residue)
}

fn write_residue(text: &mut String, rates: &BTreeMap<String, Rate>) {
    let names = rates.iter().filter(|(_, rate)| rate.float_residue).map(|(name, _)| quoted(name));
    let names: Vec<String> = names.collect();
    if !names.is_empty() {
        let _ = writeln!(text, "float_residue = [{}]", names.join(", "));
    }
}

fn rate_list(rates: &BTreeMap<String, Rate>) -> String {
    let rates = rates.iter().map(|(name, rate)| match rate.per {
        Some(per) => format!("{} = \"{} / {per}\"", key(name), rate.amount),
        None => format!("{} = \"{}\"", key(name), rate.amount),
    });
    rates.collect::<Vec<_>>().join(", ")
}

fn multipliers(multipliers: &[Multiplier]) -> String {
    let multipliers = multipliers.iter().map(|it| {
        let Multiplier { name, fact, test, factor } = it;
        format!("{{ name = \"{name}\", when = {{ {fact} = \"{test}\" }}, factor = \"{factor}\" }}")
    });
    multipliers.collect::<Vec<_>>().join(", ")
}

fn write_conditions(text: &mut String, group: &Group) {
    let _ = match group.context {
        Some(ContextRange::Above(limit)) => writeln!(text, "context = {{ above = {limit} }}"),
        Some(ContextRange::From(limit)) => writeln!(text, "context = {{ from = {limit} }}"),
        Some(ContextRange::Range(above, to)) => {
            writeln!(text, "context = {{ above = {above}, to = {to} }}")
        }
        None => Ok(()),
    };
    if group.hours.is_empty() {
        return;
    }
    let hours = group.hours.iter().map(|hours| {
        let windows: Vec<String> = hours.window_texts().iter().map(|text| quoted(text)).collect();
        let windows = windows.join(", ");
        format!("{{ windows = [{windows}], weekdays = {:?} }}", hours.weekday_numbers())
    });
    let _ = writeln!(text, "hours = [{}]", hours.collect::<Vec<_>>().join(", "));
}

fn key(name: &str) -> String {
    let bare =
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if bare { name.to_owned() } else { quoted(name) }
}

/// A basic TOML string; JSON's escapes are TOML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
