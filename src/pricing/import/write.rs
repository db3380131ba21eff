//! Writes a book file: compact TOML that a person can read and edit.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::outcome::Source;
use crate::money::Decimal;
use crate::pricing::condition::ContextRange;
use crate::pricing::hours::Hours;
use crate::pricing::row::STANDARD;
use crate::pricing::zone::Zone;
use crate::time::Timestamp;

/// A model's prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub provider: String,
    pub names: Vec<String>,
    pub source_url: String,
    pub note: String,
    /// From and until when it counts, where the source says so: dates.
    pub effective: (Option<String>, Option<String>),
    pub groups: BTreeMap<Group, BTreeMap<String, Rate>>,
    pub multipliers: Vec<Multiplier>,
}

/// What a group of rates has in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Group {
    pub context: Option<ContextRange>,
    pub hours: Vec<Hours>,
    /// Facts of the call, by name.
    pub when: BTreeMap<String, String>,
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

impl Group {
    /// Whether only the service tier sets it apart.
    fn is_plain(&self) -> bool {
        self.context.is_none() && self.hours.is_empty() && self.when.is_empty()
    }
}

impl Block {
    pub(super) fn new(provider: &str, name: &str, source_url: &str) -> Self {
        Self {
            provider: provider.to_owned(),
            names: vec![name.to_owned()],
            source_url: source_url.to_owned(),
            note: String::new(),
            effective: (None, None),
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

/// The book file of a source: what it does not date counts from `observed`.
pub(super) fn book(blocks: &[Block], observed: Timestamp, source: &Source) -> String {
    let Source { name, per } = source;
    let tokens = if *per == 1 { "token".to_owned() } else { format!("{per} tokens") };
    let mut text = String::with_capacity(blocks.len() * 256);
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "# {name}, imported by tokenmeter: rates per {tokens} in USD as the map states them.\n\
         per = {per}\nobserved = \"{observed}\"\nfetched_at = \"{observed}\"\nsource_text = {}",
        quoted(name),
    );
    blocks.iter().for_each(|block| write_block(&mut text, block));
    text
}

fn write_block(text: &mut String, block: &Block) {
    write_head(text, block);
    let (own, groups): (Vec<_>, Vec<_>) = block.groups.iter().partition(needs_variant);
    let (plain, variants): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|(group, _)| group.is_plain());
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
        let alike = |other: &Group| Group { tier: group.tier.clone(), ..other.clone() } == *group;
        while let Some(next) = variants.next_if(|(other, _)| alike(other)) {
            same.push(next);
        }
        text.push_str("[[model.variant]]\n");
        write_conditions(text, group);
        write_tiers(text, &same);
    }
}

/// Providers that have another one's models at its prices, in order.
pub(super) fn fallbacks(pairs: &[(String, String)]) -> String {
    let aliases = pairs.iter().map(|(provider, to)| {
        let (provider, to) = (quoted(provider), quoted(to));
        format!("\n[[alias]]\nprovider = {provider}\nalias = \"*\"\nto_provider = {to}\n")
    });
    aliases.collect()
}

fn write_head(text: &mut String, block: &Block) {
    let names: Vec<String> = block.names.iter().map(|name| quoted(name)).collect();
    let names = match names.as_slice() {
        [name] => format!("name = {name}"),
        names => format!("names = [{}]", names.join(", ")),
    };
    let _ = write!(text, "\n[[model]]\nprovider = {}\n{names}\n", quoted(&block.provider));
    for (key, value) in [("source_url", &block.source_url), ("note", &block.note)] {
        if !value.is_empty() {
            let _ = writeln!(text, "{key} = {}", quoted(value));
        }
    }
    let (from, to) = &block.effective;
    for (key, date) in [("effective_from", from), ("effective_to", to)] {
        if let Some(date) = date {
            let _ = writeln!(text, "{key} = {date}");
        }
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
        let _ = writeln!(text, "tiers.{} = {{ {} }}", key(&group.tier), rate_list(rates));
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
    if !group.when.is_empty() {
        let facts = group.when.iter().map(|(fact, is)| format!("{} = {}", key(fact), quoted(is)));
        let _ = writeln!(text, "when = {{ {} }}", facts.collect::<Vec<_>>().join(", "));
    }
    if group.hours.is_empty() {
        return;
    }
    let hours = group.hours.iter().map(|hours| {
        let windows: Vec<String> = hours.window_texts().iter().map(|text| quoted(text)).collect();
        let windows = windows.join(", ");
        let zone = match hours.zone.text() {
            Zone::UTC => String::new(),
            named => format!(", zone = {}", quoted(named)),
        };
        format!("{{ windows = [{windows}], weekdays = {:?}{zone} }}", hours.weekday_numbers())
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
