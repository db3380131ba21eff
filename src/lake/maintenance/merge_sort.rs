//! Sorted inputs become one sorted stream, with a batch of each input in memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::{SortColumn, concat, interleave_record_batch, lexsort_to_indices};
use arrow::error::ArrowError;
use arrow::row::{OwnedRow, RowConverter, SortField};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};

use crate::lake::error::LakeError;
use crate::lake::files::DataFile;
use crate::lake::read;
use crate::lake::snapshot::blocking;
use crate::lake::table::Table;

/// Rows in a batch that comes out.
const BATCH_ROWS: usize = 8_192;
/// Rows that are decoded of all inputs together, unless they are many.
const DECODED_ROWS: usize = 16_384;

/// The rows of one input, in order.
pub(super) type Input = BoxStream<'static, Result<RecordBatch, LakeError>>;

/// Opens a data file as one of so many inputs: one that is not sorted is read whole and sorted.
pub(super) async fn input(
    table: &Table,
    file: &DataFile,
    inputs: usize,
) -> Result<Input, LakeError> {
    let rows_max = (DECODED_ROWS / inputs.max(1)).clamp(128, read::BATCH_ROWS);
    let open = table.open_in_batches(file, None, rows_max).await?;
    let key: Vec<&'static str> = table.spec().sort_key().collect();
    if open.is_sorted || key.is_empty() {
        return Ok(open.rows);
    }
    let batches: Vec<RecordBatch> = open.rows.try_collect().await?;
    let what = format!("sorting `{}`", file.path);
    let failed = move |why: ArrowError| LakeError::internal(what.clone(), why);
    let order = move || order(&batches, &key).map(|order| (batches, order));
    let ordered = blocking(format!("sorting `{}`", file.path), order).await?;
    let (batches, order) = ordered.map_err(&failed)?;
    let next = move |part: Vec<Place>| {
        let from: Vec<&RecordBatch> = batches.iter().collect();
        interleave_record_batch(&from, &part).map_err(&failed)
    };
    let parts: Vec<Vec<Place>> = order.chunks(rows_max).map(<[Place]>::to_vec).collect();
    Ok(futures::stream::iter(parts.into_iter().map(next)).boxed())
}

/// A row's batch and its place in it.
type Place = (usize, usize);

/// The places of all rows, in order. The rows themselves stay where they are.
fn order(batches: &[RecordBatch], key: &[&str]) -> Result<Vec<Place>, ArrowError> {
    let Some(first) = batches.first() else { return Ok(Vec::new()) };
    let of_all = |name: &&str| {
        let column = first.schema().index_of(name)?;
        let parts: Vec<&dyn Array> =
            batches.iter().map(|batch| batch.column(column).as_ref()).collect();
        Ok(SortColumn { values: concat(&parts)?, options: None })
    };
    let by: Vec<SortColumn> = key.iter().map(of_all).collect::<Result<_, ArrowError>>()?;
    let places: Vec<Place> = batches
        .iter()
        .enumerate()
        .flat_map(|(batch, rows)| (0..rows.num_rows()).map(move |row| (batch, row)))
        .collect();
    let order = lexsort_to_indices(&by, None)?;
    Ok(order.values().iter().filter_map(|row| places.get(*row as usize).copied()).collect())
}

fn columns(batch: &RecordBatch, key: &[&str]) -> Result<Vec<ArrayRef>, ArrowError> {
    key.iter().map(|name| Ok(Arc::clone(batch.column(batch.schema().index_of(name)?)))).collect()
}

/// The rows of all inputs, sorted by the table's key; in a table that has none, one input follows
/// another.
pub(super) async fn merged(table: &Table, inputs: Vec<Input>) -> Result<Input, LakeError> {
    let key: Vec<&'static str> = table.spec().sort_key().collect();
    if key.is_empty() {
        return Ok(futures::stream::iter(inputs).flatten().boxed());
    }
    let sort = MergeSort::start(table, key, inputs).await?;
    let next =
        |mut sort: MergeSort| async move { Ok(sort.next().await?.map(|batch| (batch, sort))) };
    Ok(futures::stream::try_unfold(sort, next).boxed())
}

struct MergeSort {
    key: Vec<&'static str>,
    converter: RowConverter,
    inputs: Vec<Cursor>,
    /// The batches that rows are picked from.
    batches: Vec<RecordBatch>,
    /// The first row of each input that is left, least first; equal rows in the order of the
    /// inputs.
    heap: BinaryHeap<Reverse<(OwnedRow, usize)>>,
}

/// Where an input stands.
struct Cursor {
    rest: Input,
    batch: usize,
    keys: Option<arrow::row::Rows>,
    row: usize,
}

impl MergeSort {
    /// Reads the first batch of each input.
    async fn start(
        table: &Table,
        key: Vec<&'static str>,
        inputs: Vec<Input>,
    ) -> Result<Self, LakeError> {
        let schema = table.spec().file_schema();
        let fields: Result<Vec<SortField>, ArrowError> = key
            .iter()
            .map(|name| Ok(SortField::new(schema.field_with_name(name)?.data_type().clone())))
            .collect();
        let converter = fields.and_then(RowConverter::new);
        let converter = converter.map_err(|why| LakeError::internal("sorting rows", why))?;
        let cursor = |rest| Cursor { rest, batch: 0, keys: None, row: 0 };
        let inputs: Vec<Cursor> = inputs.into_iter().map(cursor).collect();
        let (batches, heap) = (Vec::new(), BinaryHeap::new());
        let mut sort = Self { key, converter, inputs, batches, heap };
        for input in 0..sort.inputs.len() {
            sort.load(input).await?;
        }
        Ok(sort)
    }

    /// The next rows; `None` after the last.
    async fn next(&mut self) -> Result<Option<RecordBatch>, LakeError> {
        let mut picks = Vec::with_capacity(BATCH_ROWS);
        while picks.len() < BATCH_ROWS
            && let Some(Reverse((_, input))) = self.heap.pop()
        {
            let Some(cursor) = self.inputs.get_mut(input) else { continue };
            picks.push((cursor.batch, cursor.row));
            cursor.row += 1;
            if !self.offer(input) {
                self.load(input).await?;
            }
        }
        if picks.is_empty() {
            return Ok(None);
        }
        let from: Vec<&RecordBatch> = self.batches.iter().collect();
        let merged = interleave_record_batch(&from, &picks);
        self.forget();
        merged.map(Some).map_err(|why| LakeError::internal("merging rows", why))
    }

    /// Offers the input's next row; `false` when its batch is used up.
    fn offer(&mut self, input: usize) -> bool {
        let Some(cursor) = self.inputs.get(input) else { return false };
        let Some(keys) = cursor.keys.as_ref().filter(|keys| cursor.row < keys.num_rows()) else {
            return false;
        };
        self.heap.push(Reverse((keys.row(cursor.row).owned(), input)));
        true
    }

    /// Reads the input's next batch that has rows, and offers its first one.
    async fn load(&mut self, input: usize) -> Result<(), LakeError> {
        let Some(cursor) = self.inputs.get_mut(input) else { return Ok(()) };
        cursor.keys = None;
        while let Some(batch) = cursor.rest.next().await.transpose()? {
            if batch.num_rows() == 0 {
                continue;
            }
            let keys = columns(&batch, &self.key);
            let keys = keys.and_then(|columns| self.converter.convert_columns(&columns));
            cursor.keys = Some(keys.map_err(|why| LakeError::internal("sorting rows", why))?);
            (cursor.batch, cursor.row) = (self.batches.len(), 0);
            self.batches.push(batch);
            break;
        }
        self.offer(input);
        Ok(())
    }

    /// Lets go of batches that no input stands in any more.
    fn forget(&mut self) {
        let mut kept = Vec::new();
        for cursor in self.inputs.iter_mut().filter(|cursor| cursor.keys.is_some()) {
            if let Some(batch) = self.batches.get(cursor.batch) {
                cursor.batch = kept.len();
                kept.push(batch.clone());
            }
        }
        self.batches = kept;
    }
}
