//! The room's tests: rows metered again, and revisions on a lake of their own.
#![allow(clippy::indexing_slicing)]

mod corrections;
mod jobs;
mod metering;
mod past;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use tempfile::TempDir;

use super::*;
use crate::attribution::{Rules, RulesConfig, Sender};
use crate::charge;
use crate::event::{CallEvent, Lineage, Who, decode_call_event};
use crate::lake::{
    CallRow, Commit, Lake, LakeConfig, Maintenance, MaintenanceConfig, Outcome, Rows, Table,
    TableName,
};
use crate::pricing::{Layer, PriceBook};
use crate::time::{FixedClock, Timestamp};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

fn now() -> Timestamp {
    at("2026-11-23T12:00:00Z")
}

/// The book of the known bugs' cases, and the same at other prices.
fn books() -> (PriceBook, PriceBook) {
    let text = include_str!("../../../tests/bugs/prices.toml");
    let dearer = text.replace("output_text = \"1", "output_text = \"2");
    assert_ne!(text, dearer);
    let book = |text: &str| {
        PriceBook::from_layers(&[Layer::new("prices.toml", text)]).expect("a readable book")
    };
    (book(text), book(&dearer))
}

fn rules(text: &str) -> Rules {
    let config: RulesConfig = toml::from_str(text).expect("readable rules");
    Rules::new(&config).expect("usable rules")
}

/// A row of an event, as the pipeline would make it.
fn row(event: CallEvent, book: &PriceBook, rules: &Rules, sender: &Sender) -> Option<CallRow> {
    let charge = charge::meter(event, book, rules, sender).ok()?;
    let lineage = Lineage { topic: "raw".to_owned(), partition: 0, offset: 7, index: 0 };
    CallRow::new(charge, lineage, now()).ok()
}

fn batch(rows: &[CallRow]) -> RecordBatch {
    let mut batches = Rows::<CallRow>::default();
    rows.iter().for_each(|row| batches.push(row));
    let batches = batches.finish().expect("batches");
    let [batch] = batches.as_slice() else { panic!("{} dates", batches.len()) };
    batch.rows.clone()
}

fn terms(book: PriceBook, rules: Option<Rules>) -> Terms {
    Terms { book, rules, models: BTreeMap::new() }
}
