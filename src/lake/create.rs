//! Opening a table: its log is read, its schema compared; a table that is not there is created.

use std::sync::Arc;

use arrow::datatypes::Schema;
use delta_kernel::committer::FileSystemCommitter;
use delta_kernel::engine::arrow_conversion::{TryFromArrow, TryIntoArrow};
use delta_kernel::schema::StructType;
use delta_kernel::transaction::CommitResult;
use delta_kernel::transaction::create_table::create_table;
use delta_kernel::transaction::data_layout::DataLayout;
use delta_kernel::{KernelResult, Snapshot, SnapshotRef};
use url::Url;

use super::error::LakeError;
use super::snapshot::Engine;
use super::tables::{DATE, TableSpec};

/// What commits say wrote them.
pub(super) const ENGINE_INFO: &str = concat!("tokenmeter/", env!("CARGO_PKG_VERSION"));

/// A property that lets transactions expire, so that offsets would be forgotten.
const TRANSACTION_RETENTION: &str = "delta.setTransactionRetentionDuration";

/// Reads the newest version of a table.
pub(super) fn newest(root: &Url, engine: &Engine) -> KernelResult<SnapshotRef> {
    Snapshot::builder_for(root).build(engine)
}

/// Creates a table; another instance that was faster is as good.
pub(super) fn create(root: &Url, spec: &TableSpec, engine: &Engine) -> Result<(), LakeError> {
    let what = || format!("creating table `{}`", spec.name.name());
    let schema = StructType::try_from_arrow(spec.table_schema())
        .map_err(|why| LakeError::internal(what(), why))?;
    let statistics = spec.statistics.join(",");
    let builder = create_table(root.as_str(), Arc::new(schema), ENGINE_INFO, false)
        .with_table_properties([
            ("delta.dataSkippingStatsColumns", statistics.as_str()),
            ("delta.checkpointInterval", "100"),
            ("delta.logRetentionDuration", "interval 2 days"),
            ("delta.deletedFileRetentionDuration", "interval 2 days"),
        ]);
    let layout = if spec.dated { DataLayout::partitioned([DATE]) } else { DataLayout::None };
    let committed = builder
        .with_data_layout(layout)
        .build(engine, Box::new(FileSystemCommitter::new()))
        .and_then(|transaction| transaction.commit(engine));
    match committed {
        Ok(CommitResult::Committed(_) | CommitResult::Conflicted(_)) => Ok(()),
        Ok(CommitResult::Retryable(failed)) => Err(LakeError::from_kernel(what(), failed.error)),
        Err(error) => Err(LakeError::from_kernel(what(), error)),
    }
}

/// Whether a table is one that we may write to.
pub(super) fn check(snapshot: &SnapshotRef, spec: &TableSpec) -> Result<(), LakeError> {
    let unusable = |why: String| LakeError::Unusable { table: spec.name.name().to_owned(), why };
    if snapshot.table_properties().set_transaction_retention_duration.is_some() {
        return Err(unusable(format!(
            "it has the property `{TRANSACTION_RETENTION}`, by which offsets would be forgotten: \
             remove it"
        )));
    }
    let schema: Schema = snapshot
        .schema()
        .as_ref()
        .try_into_arrow()
        .map_err(|why: arrow::error::ArrowError| unusable(why.to_string()))?;
    for field in spec.table_schema().fields() {
        let Ok(found) = schema.field_with_name(field.name()) else {
            return Err(unusable(format!("column `{}` is missing", field.name())));
        };
        if found.data_type() != field.data_type() {
            let (is, expected) = (found.data_type(), field.data_type());
            return Err(unusable(format!(
                "column `{}` is {is}, expected {expected}",
                field.name()
            )));
        }
    }
    Ok(())
}
