//! What became of an event that has no row: every place that names it, and every version that did.

use std::sync::Arc;

use arrow::array::AsArray;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::Value;

use crate::lake::{DataFile, Lake, TableName};

/// For a failure's message.
pub(super) async fn of(lake: &Lake, store: &Arc<dyn ObjectStore>, id: &str) -> String {
    let mut told = String::new();
    for table in [TableName::Calls, TableName::DeadLetters, TableName::CallRevisions] {
        let log = Path::from(format!("lake/{}/_delta_log", table.name()));
        let listed: Vec<_> = store.list(Some(&log)).try_collect().await.unwrap_or_default();
        let mut entries: Vec<Path> = listed.into_iter().map(|meta| meta.location).collect();
        entries.sort();
        for entry in entries.iter().filter(|entry| entry.as_ref().ends_with(".json")) {
            let Ok(got) = store.get(entry).await else { continue };
            let text = got.bytes().await.unwrap_or_default();
            let actions = text.split(|byte| *byte == b'\n');
            for action in actions.filter_map(|line| serde_json::from_slice::<Value>(line).ok()) {
                let named = ["add", "remove"].into_iter().find(|kind| !action[kind].is_null());
                let Some(kind) = named else { continue };
                let path = action[kind]["path"].as_str().unwrap_or_default();
                for row in rows(lake, table, path, id).await {
                    let version = entry.filename().unwrap_or_default();
                    told += &format!("\n  {} {version} {kind} {path}: {row}", table.name());
                }
            }
        }
    }
    told
}

/// The rows of a file that name an event: their columns of interest.
async fn rows(lake: &Lake, table: TableName, path: &str, id: &str) -> Vec<String> {
    let date = path.split_once("date=").and_then(|(_, rest)| rest.split_once('/'));
    let date = date.map(|(date, _)| date.to_owned());
    let (path, records, statistics) = (path.to_owned(), None, None);
    let file = DataFile { path, size: 0, modified_at: 0, date, records, statistics };
    let file = DataFile { size: size(lake, table, &file).await, ..file };
    let Ok(batches) = lake.table(table).read(&file, None).await else {
        return vec!["cannot be read".to_owned()];
    };
    let mut found = Vec::new();
    for batch in batches {
        let ids = batch.column_by_name("event_id").expect("a column").as_string::<i32>().clone();
        let shown = ["source_partition", "source_offset", "ingested_at", "reason", "side"];
        for row in (0..batch.num_rows()).filter(|row| ids.value(*row) == id) {
            let cell = |name: &str| {
                let column = batch.column_by_name(name)?;
                let text = arrow::util::display::array_value_to_string(column, row).ok()?;
                Some(format!("{name} {text}"))
            };
            found.push(shown.iter().filter_map(|name| cell(name)).collect::<Vec<_>>().join(", "));
        }
    }
    found
}

async fn size(lake: &Lake, table: TableName, file: &DataFile) -> u64 {
    let table = lake.table(table);
    let Ok(place) = table.location(file) else { return 0 };
    table.object_store().head(&place).await.map_or(0, |meta| meta.size)
}
