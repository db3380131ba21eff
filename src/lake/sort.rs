//! Rows in a table's order, before they are written.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{SortColumn, lexsort_to_indices, take_record_batch};
use arrow::error::ArrowError;

/// Rows sorted by the columns of a key, least first; equal ones stay in their order. Without a key,
/// all do.
///
/// # Errors
/// When a column of the key is not there.
pub(super) fn sorted(rows: &RecordBatch, key: &[&str]) -> Result<RecordBatch, ArrowError> {
    if key.is_empty() {
        return Ok(rows.clone());
    }
    let count = u32::try_from(rows.num_rows());
    let count = count.map_err(|why| ArrowError::ExternalError(Box::new(why)))?;
    let place: ArrayRef = Arc::new(UInt32Array::from_iter_values(0..count));
    let columns = key.iter().map(|name| Ok(Arc::clone(rows.column(rows.schema().index_of(name)?))));
    let columns = columns.chain([Ok(place)]);
    let by = columns.map(|values| values.map(|values| SortColumn { values, options: None }));
    let by: Vec<SortColumn> = by.collect::<Result<_, ArrowError>>()?;
    take_record_batch(rows, &lexsort_to_indices(&by, None)?)
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field, Int64Type, Schema};

    use super::*;

    #[test]
    fn rows_are_sorted_and_equal_ones_stay_in_order() {
        let names = ["b", "a", "", "b", "a"].map(|name| Some(name).filter(|name| !name.is_empty()));
        let fields = vec![
            Field::new("name", DataType::Utf8, true),
            Field::new("number", DataType::Int64, false),
        ];
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter(names)),
            Arc::new(Int64Array::from_iter_values(0..5)),
        ];
        let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("rows");
        let order = |key: &[&str]| {
            let sorted = sorted(&rows, key).expect("sorted");
            sorted.column(1).as_primitive::<Int64Type>().values().to_vec()
        };
        assert_eq!(order(&["name"]), [2, 1, 4, 0, 3], "NULL is the least");
        assert_eq!(order(&["name", "number"]), [2, 1, 4, 0, 3]);
        assert_eq!(order(&[]), [0, 1, 2, 3, 4]);
        assert!(sorted(&rows, &["nowhere"]).is_err());
    }
}
