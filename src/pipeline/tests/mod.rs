//! The pipeline's own tests; those against real brokers are in `tests/integration`.
#![allow(clippy::indexing_slicing)]

mod handover;
mod identities;
mod lineage;
mod schedules;
mod watermark;
