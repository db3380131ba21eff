//! Runs detectors over closed hours and publishes what they find.

mod config;
mod hours;
mod known;
mod run;
#[cfg(test)]
mod tests;

pub use config::AlertConfig;
pub use hours::Hours;
pub use known::{Stored, latest, stored};
pub use run::{AlertError, Alerts};
