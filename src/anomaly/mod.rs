//! Windowed cost series in, anomalies out: pure detectors.

mod series;

pub use series::{Anomaly, Contribution, HourCost, IncidentState, Scope};
