//! The one path: source, decode, meter, batch, commit, dead letter.

mod admit;
mod batch;
mod books;
mod committer;
mod config;
mod decode;
mod identities;
mod lineage;
mod metrics;
mod pace;
mod progress;
mod run;
#[cfg(test)]
mod tests;
mod unpriced;
mod watermark;

pub use admit::Acceptance;
pub use books::{Books, LoadError, layer, store_book};
pub use config::PipelineConfig;
pub use metrics::PipelineMetrics;
pub use run::{Parts, Pipeline, PipelineError};
pub use watermark::Watermarks;
