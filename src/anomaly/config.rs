//! What the detector is told.

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::money::Usd;

/// When an hour counts as an anomaly.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DetectorConfig {
    /// How many hours back an hour is compared with.
    pub trailing_hours: u16,
    /// How many hours back the first of them with spend must lie.
    pub history_hours_min: u16,
    /// Which percentile of them is expected at most.
    pub percentile: u8,
    /// How many times that an hour must be over.
    pub times: u16,
    /// By how many USD an hour must be above it.
    #[serde(deserialize_with = "usd")]
    pub excess_usd_min: Usd,
}

impl Default for DetectorConfig {
    fn default() -> Self {
        Self {
            trailing_hours: 7 * 24,
            history_hours_min: 24,
            percentile: 95,
            times: 3,
            excess_usd_min: Usd::from_pico(10_000_000_000_000),
        }
    }
}

/// An amount of money, written as text so that no float comes near it: `"10"`, `"2.50"`.
fn usd<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Usd, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(D::Error::custom)
}
