//! The pipeline's own tests; those against real brokers are in `tests/integration`.
#![allow(clippy::indexing_slicing)]

mod schedules;
mod watermark;
