//! Scans of one version of a table: its files pruned, its rows fenced in by tenant.

mod bloom;
mod canonical;
mod fence;
mod footers;
mod look_up;
mod plan;
mod provider;
mod prune;

pub(super) use provider::LakeTable;
#[cfg(test)]
pub(super) use prune::prune;
