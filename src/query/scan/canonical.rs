//! A scope's rows in an order, and in batches, that follow from these rows alone.
//!
//! Files, their order and their batches depend on everybody's rows; a sum of floats, a `LIMIT`, the
//! first error of a batch would tell. So the rows are sorted by the columns that are read, rows
//! equal in all of them being one as good as the other, and cut into batches of a fixed size.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::compute::BatchCoalescer;
use arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, stream};

/// Columns that tell rows apart whose nested columns differ.
const IDENTITY: [&str; 3] = ["revision_id", "side", "identity_hash"];

/// The rows of a batch.
const BATCH_ROWS: usize = 8_192;

/// The columns to be read besides the wanted ones for an order to be total.
pub(super) fn keys_beside(table: &SchemaRef, wanted: &[usize]) -> Vec<usize> {
    let nested = |place: &usize| table.fields().get(*place).is_some_and(|field| !is_flat(field));
    if !wanted.iter().any(nested) {
        return Vec::new();
    }
    let places = IDENTITY.iter().filter_map(|name| table.index_of(name).ok());
    places.filter(|place| !wanted.contains(place)).collect()
}

/// The rows in one partition, sorted by every flat column.
pub(super) fn sorted(input: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    let schema = input.schema();
    let flat = schema.fields().iter().enumerate().filter(|(_, field)| is_flat(field));
    let keys = flat.map(|(place, field)| {
        PhysicalSortExpr::new_default(Arc::new(Column::new(field.name(), place)))
    });
    let one = Arc::new(CoalescePartitionsExec::new(input));
    match LexOrdering::new(keys) {
        Some(ordering) => Arc::new(SortExec::new(ordering, one)),
        // Rows without columns are all alike.
        None => one,
    }
}

fn is_flat(field: &Arc<Field>) -> bool {
    !matches!(field.data_type(), DataType::Map(..) | DataType::List(_))
}

/// The same rows in batches of a fixed size.
pub(super) fn rechunked(input: SendableRecordBatchStream) -> SendableRecordBatchStream {
    let schema = input.schema();
    let cutter = Cutter::new(Arc::clone(&schema));
    let batches = stream::try_unfold((Some(input), cutter), |(mut input, mut cutter)| async move {
        loop {
            if let Some(batch) = cutter.next() {
                return Ok(Some((batch?, (input, cutter))));
            }
            let Some(rows) = &mut input else { return Ok(None) };
            match rows.next().await.transpose()? {
                Some(batch) => cutter.push(batch)?,
                None => {
                    input = None;
                    cutter.finish()?;
                }
            }
        }
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, batches))
}

/// Cuts batches; those without columns are only counted.
struct Cutter {
    schema: SchemaRef,
    batches: BatchCoalescer,
    counted: usize,
    finished: bool,
}

impl Cutter {
    fn new(schema: SchemaRef) -> Self {
        let batches = BatchCoalescer::new(Arc::clone(&schema), BATCH_ROWS);
        Self { schema, batches, counted: 0, finished: false }
    }

    fn push(&mut self, batch: RecordBatch) -> Result<()> {
        if batch.num_columns() == 0 {
            self.counted += batch.num_rows();
            return Ok(());
        }
        self.batches.push_batch(batch).map_err(DataFusionError::from)
    }

    fn finish(&mut self) -> Result<()> {
        self.finished = true;
        self.batches.finish_buffered_batch().map_err(DataFusionError::from)
    }

    fn next(&mut self) -> Option<Result<RecordBatch>> {
        if let Some(batch) = self.batches.next_completed_batch() {
            return Some(Ok(batch));
        }
        let enough = self.counted >= BATCH_ROWS || self.finished;
        let rows = self.counted.min(BATCH_ROWS);
        if rows == 0 || !enough {
            return None;
        }
        self.counted -= rows;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch =
            RecordBatch::try_new_with_options(Arc::clone(&self.schema), Vec::new(), &options);
        Some(batch.map_err(DataFusionError::from))
    }
}
