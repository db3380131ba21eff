//! The book as flat rows: what the `prices` table and `GET /v1/prices` show, and what its version
//! is the hash of.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::LayerKind;
use super::condition::Conditions;
use super::index::Index;
use super::row::{
    AliasRow, FxRow, MultiplierRow, Origin, Period, Place, Price, PriceRow, STANDARD,
};
use crate::time::Timestamp;

/// One price, multiplier, alias or exchange rate of a book.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// The layer: a file's name, or `built-in/openai.toml`.
    pub layer: String,
    /// The layer's place; a later one wins.
    pub layer_order: usize,
    /// `price`, `multiplier`, `alias`, `fx`.
    pub row_kind: &'static str,
    /// The row's own id, stable in its layer: a hash of what it prices and from when.
    pub price_id: String,
    /// The tenant, where the row overrides for one.
    pub tenant: Option<String>,
    /// The provider; empty for exchange rates.
    pub provider: String,
    /// The model, pattern, alias or currency.
    pub model: String,
    /// The token class or unit; an alias's canonical name; a multiplier's name.
    pub unit_class: Option<String>,
    /// The amount or factor as published: decimal text.
    pub amount: Option<String>,
    /// What the amount is for: 1,000,000 tokens, one call; `None` for factors.
    pub per: Option<u64>,
    /// The currency.
    pub currency: Option<String>,
    /// The service tier; `None` is the standard one.
    pub service_tier: Option<String>,
    /// All further conditions as JSON: context range, region, time of day, facts.
    pub conditions: Option<String>,
    /// From when it is in force; of an undated source, when it was observed.
    pub effective_from: Option<Timestamp>,
    /// Until when; `None`: until a later row.
    pub effective_to: Option<Timestamp>,
    /// Where it was published.
    pub source_url: Option<String>,
    /// When that was read.
    pub fetched_at: Option<Timestamp>,
    /// A remark.
    pub note: Option<String>,
}

/// Every row of the index.
pub(super) fn listings<'a>(
    index: &'a Index,
    layers: &'a [String],
) -> impl Iterator<Item = Listing> + 'a {
    let prices = index.prices.iter().map(|row| of_price(row));
    let multipliers = index.multipliers.iter().map(|row| of_multiplier(row));
    let aliases = index.aliases.iter().map(of_alias);
    let all = prices.chain(multipliers).chain(aliases).chain(index.fx.iter().map(of_fx));
    all.map(|row| row.named(layers))
}

/// A price, as it is listed.
pub(super) fn listed_price(row: &PriceRow, layers: &[String]) -> Listing {
    of_price(row).named(layers)
}

/// A factor on all tokens, as it is listed.
pub(super) fn listed_factor(row: &MultiplierRow, layers: &[String]) -> Listing {
    of_multiplier(row).named(layers)
}

/// An exchange rate, as it is listed.
pub(super) fn listed_fx(row: &FxRow, layers: &[String]) -> Listing {
    of_fx(row).named(layers)
}

impl Listing {
    /// The row with its layer's name and its own id.
    fn named(mut self, layers: &[String]) -> Self {
        self.layer = layers.get(self.layer_order).cloned().unwrap_or_default();
        self.price_id = self.id();
        self
    }

    /// What the row prices and from when, without what it says.
    fn id(&self) -> String {
        let key = self.key();
        hex(&Sha256::digest(key.as_bytes()), 8)
    }

    fn key(&self) -> String {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let from = self.effective_from.map_or(0, Timestamp::micros);
        [
            self.row_kind,
            &text(&self.tenant),
            &self.provider,
            &self.model,
            &text(&self.unit_class),
            &text(&self.service_tier),
            &text(&self.conditions),
            &from.to_string(),
        ]
        .join("\u{1f}")
    }

    /// All that the price depends on.
    fn canonical(&self) -> String {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let to = self.effective_to.map_or(0, Timestamp::micros);
        let per = self.per.unwrap_or_default();
        let (amount, currency) = (text(&self.amount), text(&self.currency));
        format!(
            "{}\u{1f}{}\u{1f}{amount}\u{1f}{per}\u{1f}{currency}\u{1f}{to}",
            self.layer_order,
            self.key()
        )
    }
}

/// The hash of what all rows say, whatever their order in the files.
pub(super) fn version(listings: impl Iterator<Item = Listing>) -> String {
    let mut lines: Vec<String> = listings.map(|row| row.canonical()).collect();
    lines.sort_unstable();
    let mut hash = Sha256::new();
    for line in lines {
        hash.update(line.as_bytes());
        hash.update(b"\n");
    }
    hex(&hash.finalize(), 16)
}

fn hex(bytes: &[u8], length: usize) -> String {
    bytes.iter().take(length).map(|byte| format!("{byte:02x}")).collect()
}

fn start(kind: &'static str, place: &Place, period: &Period, origin: &Origin) -> Listing {
    Listing {
        layer_order: place.layer,
        row_kind: kind,
        tenant: place.tenant.as_deref().map(str::to_owned),
        effective_from: Some(period.from),
        effective_to: period.to,
        source_url: origin.source_url.as_deref().map(str::to_owned),
        fetched_at: origin.fetched_at,
        note: origin.note.as_deref().or(origin.source_text.as_deref()).map(str::to_owned),
        ..Listing::default()
    }
}

/// The conditions of a row as JSON; whose terms they are, a deployment and an undated source are
/// among them.
fn conditions(conditions: &Conditions, place: &Place, period: &Period) -> Map<String, Value> {
    let json = conditions.to_json();
    let mut object: Map<String, Value> =
        json.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
    if place.kind != LayerKind::List {
        object.insert("layer".to_owned(), place.kind.name().into());
    }
    if let Some(deployment) = &place.deployment {
        object.insert("deployment".to_owned(), deployment.as_ref().into());
    }
    if period.undated {
        object.insert("undated".to_owned(), true.into());
    }
    object
}

fn text(object: Map<String, Value>) -> Option<String> {
    (!object.is_empty()).then(|| Value::Object(object).to_string())
}

/// The conditions of a price, with the amount that it corrects and what was rounded away.
fn price_conditions(row: &PriceRow) -> Option<String> {
    let mut object = conditions(&row.conditions, &row.place, &row.period);
    if let Some(corrects) = row.corrects {
        let picodollars = format!("{}/{}", corrects.numerator, corrects.denominator);
        object.insert("corrects_picodollars".to_owned(), picodollars.into());
    }
    if row.float_residue {
        object.insert("float_residue".to_owned(), true.into());
    }
    text(object)
}

fn of_price(row: &PriceRow) -> Listing {
    let mut listing = Listing {
        provider: row.provider.to_string(),
        model: row.pattern.to_string(),
        unit_class: Some(row.item.name().to_owned()),
        service_tier: Some(row.tier.to_string()).filter(|tier| tier != STANDARD),
        conditions: price_conditions(row),
        ..start("price", &row.place, &row.period, &row.origin)
    };
    match &row.price {
        Price::Literal { amount, per, currency } => {
            listing.amount = Some(amount.to_string());
            listing.per = Some(*per);
            listing.currency = Some(currency.to_string());
        }
        Price::Factor(factor) => listing.amount = Some(factor.to_string()),
    }
    listing
}

fn of_multiplier(row: &MultiplierRow) -> Listing {
    Listing {
        provider: row.provider.to_string(),
        model: row.pattern.to_string(),
        unit_class: Some(row.name.to_string()),
        amount: Some(row.factor.to_string()),
        conditions: text(conditions(&row.conditions, &row.place, &row.period)),
        ..start("multiplier", &row.place, &row.period, &row.origin)
    }
}

fn of_alias(row: &AliasRow) -> Listing {
    Listing {
        provider: row.provider.to_string(),
        model: row.alias.to_string(),
        unit_class: Some(format!("{}/{}", row.to_provider, row.canonical)),
        conditions: text(conditions(&row.conditions, &row.place, &row.period)),
        ..start("alias", &row.place, &row.period, &row.origin)
    }
}

fn of_fx(row: &FxRow) -> Listing {
    Listing {
        model: row.currency.to_string(),
        amount: Some(row.usd_per_unit.to_string()),
        currency: Some("USD".to_owned()),
        conditions: text(conditions(&Conditions::default(), &row.place, &row.period)),
        ..start("fx", &row.place, &row.period, &row.origin)
    }
}
