//! The one maintenance task: merges small files, writes checkpoints, deletes what nothing names.
//!
//! It never changes a row, never blocks an append, and gives a merge up only when its inputs are
//! gone.

mod checkpoint;
mod close;
mod digest;
mod hold;
mod merge;
mod merge_sort;
mod plan;
mod task;
pub(super) mod vacuum;

pub use merge::Merged;
pub use task::{Maintenance, Report};
