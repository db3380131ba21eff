//! What was decided before a crash is told by the source partition's id: a topic that was made
//! again has the same offsets, and nothing of it was decided.

use std::sync::Arc;

use tempfile::TempDir;

use crate::event::{Lineage, RejectionCode};
use crate::lake::{Commit, DeadLetterRow, Lake, LakeConfig, Rows, TableName};
use crate::pipeline::lineage::from_offset;
use crate::source::{Origin, Partition};
use crate::time::{Clock, SystemClock};

pub(super) fn dead_letter(app_id: &str, offset: i64) -> DeadLetterRow {
    let now = SystemClock.now();
    DeadLetterRow {
        lineage: Lineage { topic: "raw".to_owned(), partition: 0, offset, index: 0 },
        app_id: app_id.to_owned(),
        received_at: now,
        ingested_at: now,
        reason: RejectionCode::InvalidJson,
        message: "no JSON".to_owned(),
        namespace: "local".to_owned(),
        source: None,
        event_id: None,
        tenant: None,
        occurred_at: None,
        identity_hash: None,
        content_hash: [0; 16],
        size_bytes: 1,
        event: None,
        sender: None,
        raw: None,
        replayed_at: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_topic_of_the_same_name_has_nothing_decided() {
    let dir = TempDir::new().expect("a directory");
    let url = dir.path().display().to_string();
    let config = LakeConfig { url, ..LakeConfig::default() };
    let lake = Lake::open(&config, Arc::new(SystemClock)).await.expect("a lake");
    let table = lake.table(TableName::DeadLetters);
    let mut rows = Rows::default();
    (0..3).for_each(|offset| rows.push(&dead_letter("main/c/raw/first/0", offset)));
    rows.push(&dead_letter("main/c/raw/second/0", 7));
    let staged = table.write(rows.finish().expect("rows")).await.expect("files");
    let commit = Commit::append(staged, vec![("main/c/raw/first/0/dead".to_owned(), 3)]);
    table.commit(&table.snapshot().expect("open"), &commit).await.expect("a commit");
    let snapshot = table.refresh().await.expect("a snapshot");
    for (incarnation, from, decided) in
        [("first", 0, vec![0, 1, 2]), ("first", 2, vec![2]), ("second", 0, vec![7])]
    {
        let partition = Partition {
            app_id: format!("main/c/raw/{incarnation}/0"),
            topic: "raw".to_owned(),
            number: 0,
            origin: Origin::Raw { namespace: "local".to_owned() },
        };
        let found = from_offset(table, &snapshot, &partition, from).await.expect("read back");
        let mut offsets: Vec<i64> = found.into_iter().map(|(offset, _)| offset).collect();
        offsets.sort_unstable();
        assert_eq!(offsets, decided, "{incarnation} from {from}");
    }
}
