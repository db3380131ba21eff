//! What a call costs, or by name why that is not known.

use crate::money::Usd;
use crate::usage::Flags;

/// How a cost came to be, or why there is none: metering's second status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CostStatus {
    /// Computed from price rows.
    Priced,
    /// An explicit zero row.
    Free,
    /// No row covers it: the cost is NULL.
    Unpriced,
    /// Nothing is known about the usage: the cost is NULL.
    UnknownUsage,
    /// The provider's own figure is the authoritative one.
    ProviderReported,
    /// The gateway answered from its cache: nothing was billed.
    GatewayCacheHit,
    /// Served from capacity that is paid for otherwise.
    CommittedCapacity,
}

impl CostStatus {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Priced,
        Self::Free,
        Self::Unpriced,
        Self::UnknownUsage,
        Self::ProviderReported,
        Self::GatewayCacheHit,
        Self::CommittedCapacity,
    ];

    /// The name in tables and output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Priced => "priced",
            Self::Free => "free",
            Self::Unpriced => "unpriced",
            Self::UnknownUsage => "unknown_usage",
            Self::ProviderReported => "provider_reported",
            Self::GatewayCacheHit => "gateway_cache_hit",
            Self::CommittedCapacity => "committed_capacity",
        }
    }
}

/// The exact cost of one call. Amounts are `None` (NULL in the table) unless the status knows them;
/// never a zero in their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// How it came to be.
    pub status: CostStatus,
    /// What it costs.
    pub cost: Option<Usd>,
    /// The part for input that is not cached.
    pub input_cost: Option<Usd>,
    /// The part for cache reads and writes.
    pub cache_cost: Option<Usd>,
    /// The part for output.
    pub output_cost: Option<Usd>,
    /// The part for units: tools, searches, requests. The four sum to `cost`.
    pub fees_cost: Option<Usd>,
    /// What it would cost at list price, without contracts and overrides.
    pub list_cost: Option<Usd>,
    /// What price rows make of it: `cost`, unless that is the provider's own figure.
    pub computed_cost: Option<Usd>,
    /// The model whose row priced it.
    pub priced_model: Option<String>,
    /// The step by which the model's name was resolved.
    pub resolution: Option<String>,
    /// The book's version: the hash of all its layers.
    pub price_book_version: Option<String>,
    /// What was noticed.
    pub flags: Flags,
}

impl Cost {
    /// No amounts, only a reason.
    pub fn unknown(status: CostStatus) -> Self {
        Self {
            status,
            cost: None,
            input_cost: None,
            cache_cost: None,
            output_cost: None,
            fees_cost: None,
            list_cost: None,
            computed_cost: None,
            priced_model: None,
            resolution: None,
            price_book_version: None,
            flags: Flags::default(),
        }
    }
}
