//! Windowed cost series in, anomalies out: pure detectors.

mod config;
mod contributors;
mod detect;
mod explain;
mod incident;
mod message;
mod series;

#[cfg(test)]
mod tests;

pub use config::DetectorConfig;
pub use detect::Detector;
pub use series::{Anomaly, Contribution, HourCost, IncidentState, Scope, Series};
