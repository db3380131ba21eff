//! What must not change when files are rewritten: rows, identities and cost.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Decimal128Type;

/// The sums over a set of rows, whatever their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Digest {
    rows: usize,
    /// Of the identity hashes, wrapping.
    identities: u128,
    /// Of the costs, in picodollars.
    cost: i128,
    /// Rows without a cost.
    unknown_costs: usize,
}

impl Digest {
    /// The columns that it is over, where a table has them.
    pub(super) const COLUMNS: [&str; 3] = ["identity_hash", "cost_usd", "tenant"];

    /// How many rows.
    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    /// Adds the rows of a batch.
    pub(super) fn add(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows();
        let hashes = batch.column_by_name("identity_hash");
        for hash in hashes.and_then(|column| column.as_binary_opt::<i32>()).into_iter().flatten() {
            let half = hash.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok()).unwrap_or_default();
            self.identities = self.identities.wrapping_add(u128::from_be_bytes(half));
        }
        let costs = batch.column_by_name("cost_usd");
        if let Some(costs) = costs.and_then(|column| column.as_primitive_opt::<Decimal128Type>()) {
            self.cost += costs.iter().flatten().sum::<i128>();
            self.unknown_costs += costs.null_count();
        }
    }
}
