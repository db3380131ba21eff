//! The server as a client sees it, over stand-ins for the log and the key store.

#![allow(clippy::indexing_slicing)]

mod access;
mod control;
mod fixture;
mod ingest;
mod isolation;
mod life;
mod litellm;
mod operations;
mod questions;

use fixture::{Answer, Server};
