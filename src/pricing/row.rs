//! The rows of a book: prices, multipliers, aliases, exchange rates.

use std::fmt;
use std::sync::Arc;

use super::LayerKind;
use super::condition::Conditions;
use super::fraction::Fraction;
use crate::money::Decimal;
use crate::time::Timestamp;
use crate::usage::TokenClass;

/// The service tier that a row without one is for.
pub(super) const STANDARD: &str = "standard";

/// What a price is for: a token class or a unit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Item {
    Token(TokenClass),
    Unit(Arc<str>),
}

impl Item {
    pub(super) fn from_name(name: &str) -> Self {
        TokenClass::from_name(name).map_or_else(|| Self::Unit(name.into()), Self::Token)
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Token(class) => class.name(),
            Self::Unit(name) => name,
        }
    }
}

/// Which models a row is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Pattern {
    Exact(Arc<str>),
    /// All models whose name begins so; empty: all of the provider.
    Prefix(Arc<str>),
}

impl Pattern {
    pub(super) fn matches(&self, model: &str) -> bool {
        match self {
            Self::Exact(name) => name.as_ref() == model,
            Self::Prefix(prefix) => model.starts_with(prefix.as_ref()),
        }
    }

    /// An exact name beats a prefix, a longer prefix a shorter one.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Exact(_) => usize::MAX,
            Self::Prefix(prefix) => prefix.len(),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
        }
    }
}

/// The published price, or a factor on the standard one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Price {
    Literal { amount: Decimal, per: u64, currency: Arc<str> },
    Factor(Decimal),
}

/// From when and until when a row counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Period {
    pub from: Timestamp,
    /// `None`: until a later row.
    pub to: Option<Timestamp>,
    /// The source states no dates: `from` is when it was observed, and the row counts before that
    /// where no dated one does.
    pub undated: bool,
}

impl Period {
    pub(super) fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }

    /// Whether an undated row is all there is for a time before it was observed.
    pub(super) fn is_assumed(&self, at: Timestamp) -> bool {
        self.undated && at < self.from
    }
}

/// Where a row was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Origin {
    pub source_url: Option<Arc<str>>,
    pub source_text: Option<Arc<str>>,
    pub fetched_at: Option<Timestamp>,
    pub note: Option<Arc<str>>,
}

/// Which layer a row stands in, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub layer: usize,
    pub kind: LayerKind,
    pub tenant: Option<Arc<str>>,
    pub deployment: Option<Arc<str>>,
    /// The byte of the file where its block begins.
    pub offset: usize,
}

/// One price.
#[derive(Debug, Clone)]
pub(super) struct PriceRow {
    pub place: Place,
    pub provider: Arc<str>,
    pub pattern: Pattern,
    pub item: Item,
    pub tier: Arc<str>,
    pub conditions: Arc<Conditions>,
    pub price: Price,
    /// `amount / per` in picodollars (of its currency), or the factor.
    pub rate: Fraction,
    pub period: Period,
    /// The published amount that this row puts right.
    pub corrects: Option<Fraction>,
    pub float_residue: bool,
    pub origin: Arc<Origin>,
}

/// One factor on the token rates.
#[derive(Debug, Clone)]
pub(super) struct MultiplierRow {
    pub place: Place,
    pub provider: Arc<str>,
    pub pattern: Pattern,
    pub name: Arc<str>,
    pub conditions: Arc<Conditions>,
    pub factor: Decimal,
    pub rate: Fraction,
    pub period: Period,
    pub origin: Arc<Origin>,
}

/// The alias that stands for all models of a provider: by the same name at another one.
pub(super) const ANY: &str = "*";

/// One other name of a model.
#[derive(Debug, Clone)]
pub(super) struct AliasRow {
    pub place: Place,
    pub provider: Arc<str>,
    pub alias: Arc<str>,
    /// Whose model it is, where that is another provider's.
    pub to_provider: Arc<str>,
    pub canonical: Arc<str>,
    /// The facts of the call for which it counts: an account, a region.
    pub conditions: Arc<Conditions>,
    pub period: Period,
    pub origin: Arc<Origin>,
}

/// One exchange rate.
#[derive(Debug, Clone)]
pub(super) struct FxRow {
    pub place: Place,
    pub currency: Arc<str>,
    pub usd_per_unit: Decimal,
    pub rate: Fraction,
    pub period: Period,
    pub origin: Arc<Origin>,
}

impl PriceRow {
    /// The currency of its amount, when that is not the US dollar.
    pub(super) fn foreign_currency(&self) -> Option<&str> {
        match &self.price {
            Price::Literal { currency, .. } if currency.as_ref() != "USD" => Some(currency),
            _ => None,
        }
    }

    /// Whether it states an amount of its own rather than a factor on another row's.
    pub(super) fn is_literal(&self) -> bool {
        matches!(self.price, Price::Literal { .. })
    }

    /// Whether both price the same thing under the same conditions: one of them wins.
    pub(super) fn rivals(&self, other: &Self) -> bool {
        self.item == other.item
            && self.tier == other.tier
            && self.place.tenant == other.place.tenant
            && self.place.deployment == other.place.deployment
            && self.conditions == other.conditions
    }

    /// Whether they are rivals for the same models, of one kind: the date decides.
    pub(super) fn same_key(&self, other: &Self) -> bool {
        self.rivals(other)
            && self.provider == other.provider
            && self.pattern == other.pattern
            && self.is_literal() == other.is_literal()
    }
}
