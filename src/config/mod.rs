//! The configuration: each room's own `Config`, composed.
//!
//! In: `tokenmeter.toml` and `TOKENMETER_` variables. Out: [`Config`]. An unreadable one stops the
//! start with file, line and what was expected; it is read once and passed down.

mod composed;
mod load;

pub use composed::Config;
pub use load::ConfigError;
