//! The server as a client sees it, over stand-ins for the log and the key store.

#![allow(clippy::indexing_slicing)]

pub(crate) mod access;
mod audit;
mod control;
pub(crate) mod fixture;
mod ingest;
pub(crate) mod isolation;
mod life;
mod litellm;
mod openapi;
mod operations;
mod pages;
mod prices;
mod questions;

use fixture::{Answer, Server};
