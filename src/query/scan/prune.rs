//! Which data files can hold a row that the filters want: by their date and by the log's
//! statistics.
//!
//! The log cuts times to milliseconds and long texts to a prefix: bounds are widened accordingly,
//! or not used. A file is left out only when no row of it can be wanted.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use datafusion::catalog::Session;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, DFSchema};
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::scalar::ScalarValue;
use serde_json::Value;

use crate::lake::{DATE, DataFile};
use crate::time::Timestamp;

/// A text at least as long may have been cut in the log.
const TEXT_CHARS_KEPT: usize = 32;
/// The log keeps milliseconds: what it may have cut off a time.
const CUT_MICROS: i64 = 999;

/// The files that can hold a wanted row.
pub(in crate::query) fn prune<'a>(
    files: &'a [DataFile],
    schema: &SchemaRef,
    filters: &[Expr],
    state: &dyn Session,
) -> Result<Vec<&'a DataFile>> {
    let Some(filter) = conjunction(filters.iter().cloned()) else {
        return Ok(files.iter().collect());
    };
    let predicate = state.create_physical_expr(filter, &DFSchema::try_from(Arc::clone(schema))?)?;
    let builder = PruningPredicateBuilder::new().with_file_schema(Arc::clone(schema));
    let Some(pruning) = builder.build(predicate) else {
        return Ok(files.iter().collect());
    };
    let kept = pruning.prune(&FileBounds { schema: Arc::clone(schema), files })?;
    Ok(files.iter().zip(kept).filter_map(|(file, kept)| kept.then_some(file)).collect())
}

/// Days since the epoch of a partition such as `2026-11-23`.
pub(super) fn days(date: &str) -> Option<i32> {
    let midnight: Timestamp = format!("{date}T00:00:00Z").parse().ok()?;
    Some(midnight.days())
}

/// What the log says of a column of one file.
fn bound(file: &DataFile, side: Side, name: &str, kind: &DataType) -> Option<ScalarValue> {
    if name == DATE {
        return file.date.as_deref().and_then(days).map(|date| ScalarValue::Date32(Some(date)));
    }
    let known = file.statistics.as_deref()?;
    let value = match side {
        Side::Least => known.least(name)?,
        Side::Largest => known.largest(name)?,
    };
    scalar(value, kind, side)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Least,
    Largest,
}

/// A bound that holds for every row; `None` when the log's text is not sure to be one.
fn scalar(value: &Value, kind: &DataType, side: Side) -> Option<ScalarValue> {
    match kind {
        DataType::Utf8View => {
            let text = value.as_str()?;
            let sure = side == Side::Least || text.chars().count() < TEXT_CHARS_KEPT;
            sure.then(|| ScalarValue::Utf8View(Some(text.to_owned())))
        }
        DataType::Int32 => Some(ScalarValue::Int32(Some(i32::try_from(value.as_i64()?).ok()?))),
        DataType::Int64 => Some(ScalarValue::Int64(Some(value.as_i64()?))),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let instant: Timestamp = value.as_str()?.parse().ok()?;
            let widened = if side == Side::Largest { CUT_MICROS } else { 0 };
            let micros = instant.plus_micros(widened).micros();
            Some(ScalarValue::TimestampMicrosecond(Some(micros), zone.clone()))
        }
        _ => None,
    }
}

struct FileBounds<'a> {
    schema: SchemaRef,
    files: &'a [DataFile],
}

impl FileBounds<'_> {
    fn bounds(&self, side: Side, column: &Column) -> Option<ArrayRef> {
        let kind = self.schema.field_with_name(&column.name).ok()?.data_type();
        let null = ScalarValue::try_from(kind).ok()?;
        let bound = |file| bound(file, side, &column.name, kind);
        let bounds = self.files.iter().map(|file| bound(file).unwrap_or_else(|| null.clone()));
        ScalarValue::iter_to_array(bounds).ok()
    }
}

impl PruningStatistics for FileBounds<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(Side::Least, column)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(Side::Largest, column)
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, _: &Column) -> Option<ArrayRef> {
        None
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        None
    }

    fn contained(
        &self,
        _: &Column,
        _: &HashSet<ScalarValue>,
    ) -> Option<arrow::array::BooleanArray> {
        None
    }
}
