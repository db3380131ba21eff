//! PostgreSQL's wire: psql, drivers and BI tools ask the lake.
//!
//! In: connections, each of which brings an API key as its password. Out: the answers that HTTP
//! gives, under the same keys, scopes, limits, audit and cancelling. A statement runs where HTTP's
//! run; what clients say about themselves (SET, BEGIN, DISCARD) is answered here and never leaves
//! this room. Never: a row of another tenant, a key in a log, an amount as a float, an answer that
//! was cut off without an error.

mod ask;
mod cancel;
mod cell;
mod column;
mod command;
mod config;
mod door;
mod error;
mod extended;
mod guard;
mod login;
mod names;
mod numeric;
mod parameter;
mod rows;
mod server;
mod session;
mod settings;
mod simple;
mod sqlstate;
mod stream;
mod talk;
mod words;

pub use config::{Listen, PostgresConfig};
pub use door::{Door, bind};
pub use error::PostgresError;

#[cfg(test)]
mod tests;
