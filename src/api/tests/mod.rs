//! The server as a client sees it, over stand-ins for the log and the key store.

#![allow(clippy::indexing_slicing)]

mod access;
mod control;
mod fixture;
mod ingest;
mod isolation;
mod life;
mod litellm;
mod openapi;
mod operations;
mod pages;
mod prices;
mod questions;

use fixture::{Answer, Server};
