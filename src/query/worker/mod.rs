//! Worker processes: a question runs in a process of its own kind, with a limit of memory, and is
//! killed when its time is over. A hostile statement may end its worker, never the server or
//! ingest.
//!
//! The server starts workers of its own binary and talks to them over their standard input and
//! output, in frames ([`wire`]). A worker answers one question at a time and is used again; one
//! whose question was not read to its end is killed, and another one takes its place.

mod child;
mod pool;
mod process;
mod wire;

pub use child::{be_small, run};
pub use pool::WorkerCommand;
pub(super) use pool::Workers;
