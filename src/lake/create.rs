//! Opening a table: its log is read, its schema compared; a table that is not there is created.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema};
use delta_kernel::committer::FileSystemCommitter;
use delta_kernel::engine::arrow_conversion::{TryFromArrow, TryIntoArrow};
use delta_kernel::schema::{StructField, StructType};
use delta_kernel::transaction::create_table::create_table;
use delta_kernel::transaction::data_layout::DataLayout;
use delta_kernel::transaction::{CommitResult, UpdateTableOperation};
use delta_kernel::{KernelResult, Snapshot, SnapshotRef};
use url::Url;

use super::error::LakeError;
use super::snapshot::Engine;
use super::tables::{DATE, TableSpec};
use crate::crash;

/// What commits say wrote them.
pub(super) const ENGINE_INFO: &str = concat!("tokenmeter/", env!("CARGO_PKG_VERSION"));

/// A property that lets transactions expire, so that offsets would be forgotten.
const TRANSACTION_RETENTION: &str = "delta.setTransactionRetentionDuration";
/// A property that lets rows be deleted beside their file, which we would read all the same.
const DELETION_VECTORS: &str = "delta.enableDeletionVectors";

/// Opens a table; one that is not there is created, one of an older release gets its new columns.
pub(super) fn open(
    root: &Url,
    spec: &TableSpec,
    engine: &Engine,
    is_new: bool,
) -> Result<SnapshotRef, LakeError> {
    let what = |doing: &str| format!("{doing} table `{}`", spec.name.name());
    let created = if is_new { create(root, spec, engine) } else { Ok(()) };
    let snapshot = match (newest(root, engine), created) {
        // Another instance may have been faster: then there is a table all the same.
        (Ok(snapshot), _) => snapshot,
        (Err(opening), created) => {
            let opening = LakeError::from_kernel(what("opening"), opening);
            let creating = created.map_err(|error| LakeError::from_kernel(what("creating"), error));
            return Err(match creating {
                // The kernel's own objection is that it is there: then a listing is behind.
                Ok(()) | Err(LakeError::Internal { .. }) => opening,
                Err(creating) => creating,
            });
        }
    };
    crash::point_in("open.read", spec.name.name());
    let missing = check(&snapshot, spec)?;
    if missing.is_empty() {
        return Ok(snapshot);
    }
    let added = add_columns(&snapshot, &missing, engine);
    // A conflict is another instance of this release: it adds the same columns.
    added.map_err(|error| LakeError::from_kernel(what("adding columns to"), error))?;
    let snapshot = newest(root, engine);
    let snapshot = snapshot.map_err(|error| LakeError::from_kernel(what("opening"), error))?;
    match check(&snapshot, spec)?.first() {
        None => Ok(snapshot),
        Some(column) => Err(LakeError::Retryable {
            what: what("adding columns to"),
            why: format!("column `{}` is still missing", column.name()),
        }),
    }
}

/// Reads the newest version of a table.
pub(super) fn newest(root: &Url, engine: &Engine) -> KernelResult<SnapshotRef> {
    Snapshot::builder_for(root).build(engine)
}

fn create(root: &Url, spec: &TableSpec, engine: &Engine) -> KernelResult<()> {
    let schema = StructType::try_from_arrow(spec.table_schema())?;
    let statistics = spec.statistics.join(",");
    let builder = create_table(root.as_str(), Arc::new(schema), ENGINE_INFO, false)
        .with_table_properties([
            ("delta.dataSkippingStatsColumns", statistics.as_str()),
            ("delta.checkpointInterval", "100"),
            ("delta.logRetentionDuration", "interval 2 days"),
            ("delta.deletedFileRetentionDuration", "interval 2 days"),
        ]);
    let layout = if spec.dated { DataLayout::partitioned([DATE]) } else { DataLayout::None };
    crash::point_in("create.begun", spec.name.name());
    let transaction =
        builder.with_data_layout(layout).build(engine, Box::new(FileSystemCommitter::new()))?;
    match transaction.commit(engine)? {
        CommitResult::Committed(_) | CommitResult::Conflicted(_) => Ok(()),
        CommitResult::Retryable(failed) => Err(failed.error),
    }
}

fn add_columns(snapshot: &SnapshotRef, missing: &[Field], engine: &Engine) -> KernelResult<()> {
    let mut builder =
        snapshot.clone().update_table(UpdateTableOperation::AlterTable, ENGINE_INFO, false);
    for field in missing {
        // Rows that are there have no value for it.
        let field = field.clone().with_nullable(true);
        builder = builder.add_column(StructField::try_from_arrow(&field)?);
    }
    let transaction = builder.build(engine, Box::new(FileSystemCommitter::new()))?;
    match transaction.commit(engine)? {
        CommitResult::Committed(_) | CommitResult::Conflicted(_) => Ok(()),
        CommitResult::Retryable(failed) => Err(failed.error),
    }
}

/// Whether a table is one that we may write to; returns the columns that it does not have yet.
fn check(snapshot: &SnapshotRef, spec: &TableSpec) -> Result<Vec<Field>, LakeError> {
    let unusable = |why: String| LakeError::Unusable { table: spec.name.name().to_owned(), why };
    if snapshot.table_properties().set_transaction_retention_duration.is_some() {
        return Err(unusable(format!(
            "it has the property `{TRANSACTION_RETENTION}`, by which offsets would be forgotten: \
             remove it"
        )));
    }
    if snapshot.table_properties().enable_deletion_vectors == Some(true) {
        return Err(unusable(format!(
            "it has the property `{DELETION_VECTORS}`: rows that they delete would be read, and \
             come back with a merge: remove it, and purge those that are there"
        )));
    }
    let schema: Schema = snapshot
        .schema()
        .as_ref()
        .try_into_arrow()
        .map_err(|why: arrow::error::ArrowError| unusable(why.to_string()))?;
    let mut missing = Vec::new();
    for field in spec.table_schema().fields() {
        match schema.field_with_name(field.name()) {
            Err(_) => missing.push(field.as_ref().clone()),
            Ok(found) if found.data_type() == field.data_type() => {}
            Ok(found) => {
                let (is, expected) = (found.data_type(), field.data_type());
                let name = field.name();
                return Err(unusable(format!("column `{name}` is {is}, expected {expected}")));
            }
        }
    }
    Ok(missing)
}
