//! The wire as a client meets it: the bytes of the protocol over a socket of this machine.

#![allow(clippy::indexing_slicing)]

mod access;
mod client;
mod isolation;
mod protocol;
mod wire;
