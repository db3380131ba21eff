//! The task that applies corrections from time to time.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::verbs::apply_corrections;
use crate::lake::{Lake, TableName};
use crate::setting::Span;

/// Applies the corrections that are due every so often, until told to stop. What fails is tried
/// again; what is under way is ended first.
pub async fn keep_correcting(lake: Lake, every: Span, stop: CancellationToken) {
    let mut looked_at = None;
    while stop.run_until_cancelled(tokio::time::sleep(every.0.max(LEAST))).await.is_some() {
        let queue = lake.table(TableName::CallRevisions).refresh().await;
        let version = queue.map(|queue| queue.version()).ok();
        if version.is_some() && version == looked_at {
            continue;
        }
        match apply_corrections(&lake).await {
            Ok(applied) => {
                if applied.rows > 0 {
                    tracing::info!(rows = applied.rows, "corrections applied");
                }
                // Its own commit is no reason to look again, a correction not yet due is.
                looked_at = version.filter(|_| applied.waiting == 0 && applied.rows == 0);
            }
            Err(error) => tracing::warn!(%error, "corrections wait for the next round"),
        }
    }
}

/// Not more often than this.
const LEAST: Duration = Duration::from_millis(100);
