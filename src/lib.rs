//! tokenmeter meters what companies spend on LLM APIs.
//!
//! One pure function, [`charge::meter`], turns a raw call event into a priced, attributed
//! [`charge::Charge`]; everything else is delivery. The rooms stand here in reading order; each may
//! import rooms of a lower level only (`tests/tidy.rs` checks it, `ARCHITECTURE.md` explains it).

// Level 0: exact money, time, settings as people write them, and where a test may end the process.
pub mod crash;
pub mod money;
pub mod setting;
pub mod time;

// Level 1: the accuracy core. Pure: no I/O, no async, no Arrow.
pub mod anomaly;
pub mod attribution;
pub mod charge;
pub mod event;
pub mod pricing;
pub mod usage;

// Level 2: where events come from, and where rows are kept.
#[cfg(feature = "lake")]
pub mod lake;
#[cfg(feature = "lake")]
pub mod source;

// Level 3: the one path between them, and the questions asked of the result.
#[cfg(feature = "lake")]
pub mod pipeline;
#[cfg(feature = "lake")]
pub mod query;

// Level 4: what is found in the rows, and how rows that exist are changed.
#[cfg(feature = "lake")]
pub mod alert;
#[cfg(feature = "lake")]
pub mod revision;

// Level 5: HTTP, and PostgreSQL's wire.
#[cfg(feature = "lake")]
pub mod api;
#[cfg(feature = "lake")]
pub mod postgres;

// Level 6: what the process is told, and what it tells.
#[cfg(feature = "lake")]
pub mod config;
#[cfg(feature = "lake")]
pub mod telemetry;

// Level 7: commands.
#[cfg(feature = "lake")]
pub mod cli;
