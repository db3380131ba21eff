//! The program as its users meet it: the real binary, over HTTP, Kafka, an S3 server and real
//! readers.
//!
//! One binary, so that the heavy libraries are linked once. Parts that are not installed
//! (`tests/parts/install.sh`) are said loudly, and fail where `TOKENMETER_REQUIRE_PARTS` is set.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

mod avro;
mod canary;
mod commands;
mod configuration;
mod disk;
mod doctor;
mod engines;
mod events;
mod kafka_anomalies;
mod kafka_kills;
mod kafka_topics;
mod litellm;
mod openapi;
// `tests/torture` uses them, too.
#[allow(dead_code)]
mod parts;
mod poison;
mod postgres;
mod prices;
mod questions;
mod recount;
mod replays;
mod revisions;
mod server;
mod unpriced;
mod worked_cases;
mod workers;
