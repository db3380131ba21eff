//! How far the lake has come in each partition of ours, and how far behind its end that is.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::metrics::PipelineMetrics;
use crate::source::{Partition, Source};

/// The partitions of this process, each with the next offset as last committed.
#[derive(Debug, Default)]
pub(super) struct Progress(BTreeMap<String, (Arc<Partition>, i64)>);

impl Progress {
    /// Everything before `next` is committed.
    pub(super) fn reached(&mut self, partition: &Arc<Partition>, next: i64) {
        self.0.insert(partition.app_id.clone(), (partition.clone(), next));
    }

    /// A partition is another process's: what it was behind is no longer ours to tell.
    pub(super) fn revoked(&mut self, partition: &Partition, metrics: &PipelineMetrics) {
        if self.0.remove(&partition.app_id).is_some() {
            let number = partition.number.to_string();
            let _ = metrics.lag.remove_label_values(&[&partition.topic, &number]);
        }
    }

    /// Tells the lag of each: messages that are in the source and not committed.
    pub(super) fn observe(&self, source: &dyn Source, metrics: &PipelineMetrics) {
        for (partition, next) in self.0.values() {
            let Some(extent) = source.extent(partition) else { continue };
            let labels = [partition.topic.as_str(), &partition.number.to_string()];
            let lag = extent.high.saturating_sub(*next).max(0);
            metrics.lag.with_label_values(&labels).set(lag);
        }
    }
}
