//! When hours are closed and looked at.

use serde::Deserialize;

use crate::anomaly::DetectorConfig;
use crate::setting::Span;

/// The `[alert]` part of the configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlertConfig {
    /// Whether this process looks for anomalies.
    pub enabled: bool,
    /// How often it looks for hours that have closed.
    pub interval: Span,
    /// An hour closes when the watermark is so far past its end.
    pub close_after: Span,
    /// What counts as an anomaly.
    pub detector: DetectorConfig,
}

impl Default for AlertConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            interval: Span::seconds(5),
            close_after: Span::seconds(10 * 60),
            detector: DetectorConfig::default(),
        }
    }
}
