//! Corrections that came as events.

use arrow::array::AsArray;

use super::*;
use crate::lake::Correction;
use crate::money::Usd;

const APP_ID: &str = "main/spool/1/0";

struct Fixture {
    _dir: TempDir,
    lake: Lake,
}

impl Fixture {
    async fn new() -> Self {
        let dir = TempDir::new().expect("a directory");
        let url = dir.path().to_str().expect("a UTF-8 path").to_owned();
        let config = LakeConfig { url, ..LakeConfig::default() };
        let lake = Lake::open(&config, Arc::new(FixedClock(now()))).await.expect("the lake opens");
        Self { _dir: dir, lake }
    }

    /// Commits rows of `calls`, and up to where the source was read.
    async fn rows(&self, rows: &[CallRow], next: i64) {
        let mut batches = Rows::<CallRow>::default();
        rows.iter().for_each(|row| batches.push(row));
        let calls = self.lake.table(TableName::Calls);
        let staged = calls.write(batches.finish().expect("batches")).await.expect("files");
        let commit = Commit::append(staged, vec![(APP_ID.to_owned(), next)]);
        let on = calls.refresh().await.expect("a snapshot");
        let outcome = calls.commit(&on, &commit).await;
        assert!(matches!(outcome, Ok(Outcome::Committed(_))), "{outcome:?}");
    }

    /// Queues corrections, as the pipeline does before it commits their range.
    async fn queue(&self, rows: Vec<CallRow>, next: i64) {
        let reason = "correction";
        let queued: Vec<Correction> = rows
            .into_iter()
            .map(|row| Correction { row, app_id: APP_ID.to_owned(), reason })
            .collect();
        let table = self.lake.table(TableName::CallRevisions);
        let staged = table.write(Correction::rows(&queued).expect("rows")).await.expect("files");
        let commit = Commit::append(staged, vec![(format!("{APP_ID}/rev"), next)]);
        let on = table.refresh().await.expect("a snapshot");
        let outcome = table.commit(&on, &commit).await;
        assert!(matches!(outcome, Ok(Outcome::Committed(_))), "{outcome:?}");
    }

    /// Event id, date, cost and revision of every row.
    async fn told(&self) -> Vec<String> {
        let calls = self.lake.table(TableName::Calls);
        let snapshot = calls.refresh().await.expect("a snapshot");
        let mut told = Vec::new();
        for file in snapshot.files().await.expect("files").iter() {
            for batch in calls.read(file, None).await.expect("rows") {
                let column = |name: &str| batch.column_by_name(name).expect("a column");
                let ids = column("event_id").as_string::<i32>();
                let costs = column("cost_usd");
                let costs = costs.as_primitive::<arrow::datatypes::Decimal128Type>();
                let revisions = column("revision").as_primitive::<arrow::datatypes::Int32Type>();
                for row in 0..batch.num_rows() {
                    let date = file.date.as_deref().expect("a date");
                    let cost = Usd::from_pico(costs.value(row));
                    let revision = revisions.value(row);
                    told.push(format!("{} {date} {cost} r{revision}", ids.value(row)));
                }
            }
        }
        told.sort();
        told
    }
}

/// A call of so many tokens, as read at an offset.
fn call(id: &str, day: u32, tokens: u64, offset: i64) -> CallRow {
    let event = format!(
        r#"{{"event_id": "{id}", "source": "s", "provider": "openai", "api": "chat.completions",
        "model": "gpt-x", "occurred_at": "2026-11-{day}T12:00:00Z",
        "usage": {{"prompt_tokens": {tokens}, "completion_tokens": 0}}}}"#
    );
    let event = decode_call_event(event.as_bytes()).expect("an event");
    let charge = charge::meter(event, &books().0, &Rules::default(), &Sender::default());
    let lineage = Lineage { topic: "raw".to_owned(), partition: 0, offset, index: 0 };
    let at = now().plus_seconds(offset);
    CallRow::new(charge.expect("a charge"), lineage, at).expect("a row")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_becomes_the_row_once_its_range_is_committed() {
    let fixture = Fixture::new().await;
    let (a, b) = (call("a", 20, 10_000, 0), call("b", 20, 20_000, 1));
    fixture.rows(&[a, b], 2).await;
    let later = [call("a", 20, 30_000, 3), call("a", 20, 40_000, 4)];
    fixture.queue(vec![later[1].clone(), later[0].clone(), call("b", 21, 50_000, 5)], 6).await;
    let applied = apply_corrections(&fixture.lake).await.expect("a look");
    assert_eq!((applied.rows, applied.waiting), (0, 3), "their range is not committed");
    assert_eq!(fixture.told().await, ["a 2026-11-20 0.0125 r0", "b 2026-11-20 0.025 r0"]);

    fixture.rows(&[], 6).await;
    let applied = apply_corrections(&fixture.lake).await.expect("a revision");
    assert_eq!((applied.rows, applied.waiting), (2, 0));
    let told = ["a 2026-11-20 0.05 r1", "b 2026-11-21 0.0625 r1"];
    assert_eq!(fixture.told().await, told, "the later one counts, and a call may change its day");
    let again = apply_corrections(&fixture.lake).await.expect("a look");
    assert_eq!((again.rows, again.waiting), (0, 0), "once");

    let history = history(&fixture.lake).await.expect("a history");
    let [entry] = history.as_slice() else { panic!("{history:?}") };
    assert_eq!((entry.sides.before.rows, entry.sides.after.rows), (2, 2));
    let author = Author { by: "f".into(), reason: "wrong".into(), at: now() };
    rollback(&fixture.lake, &entry.revision_id, &author).await.expect("a rollback");
    assert_eq!(fixture.told().await, ["a 2026-11-20 0.0125 r2", "b 2026-11-20 0.025 r2"]);
    let again = apply_corrections(&fixture.lake).await.expect("a look");
    assert_eq!(again.rows, 0, "what was rolled back stays so");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_without_a_row_becomes_one() {
    let fixture = Fixture::new().await;
    fixture.rows(&[call("a", 20, 10_000, 0)], 1).await;
    fixture.queue(vec![call("z", 22, 20_000, 1)], 2).await;
    fixture.rows(&[], 2).await;
    apply_corrections(&fixture.lake).await.expect("a revision");
    assert_eq!(fixture.told().await, ["a 2026-11-20 0.0125 r0", "z 2026-11-22 0.025 r0"]);
    let again = apply_corrections(&fixture.lake).await.expect("a look");
    assert_eq!(again.rows, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn corrections_and_revisions_do_not_disturb_each_other() {
    let fixture = Fixture::new().await;
    let calls: Vec<CallRow> = (0..50).map(|n| call(&format!("e{n:02}"), 20, 10_000, n)).collect();
    fixture.rows(&calls, 50).await;
    fixture.queue(vec![call("e07", 20, 20_000, 50)], 51).await;
    fixture.rows(&[], 51).await;
    let author = Author { by: "f".into(), reason: "why".into(), at: now() };
    let text = include_str!("../../../tests/bugs/prices.toml");
    let dearer = text.replace("input_text = \"1.25\"", "input_text = \"2.5\"");
    let book = PriceBook::from_layers(&[Layer::new("p.toml", dearer)]).expect("a book");
    let terms = terms(book, None);
    let scope = Scope::default();
    apply(&fixture.lake, &scope, &terms, &author).await.expect("a revision");
    apply_corrections(&fixture.lake).await.expect("a correction");
    let told = fixture.told().await;
    assert_eq!(told[7], "e07 2026-11-20 0.025 r2", "as the event was priced when it came");
    apply(&fixture.lake, &scope, &terms, &author).await.expect("a revision");
    assert_eq!(fixture.told().await[7], "e07 2026-11-20 0.05 r3");
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_correct_at_the_same_time_let_each_other_through() {
    let fixture = Fixture::new().await;
    let rows: Vec<CallRow> = (0..8).map(|n| call(&format!("c{n}"), 20, 10_000, n)).collect();
    fixture.rows(&rows, 8).await;
    for round in 1..=4_i64 {
        let next = 8 + round * 8;
        let later =
            (0..8).map(|n| call(&format!("c{n}"), 20, 10_000 * (round + 1) as u64, next - 8 + n));
        fixture.queue(later.collect(), next).await;
        fixture.rows(&[], next).await;
        let instances = (0..3).map(|_| apply_corrections(&fixture.lake));
        let applied = futures::future::join_all(instances).await;
        let rows: u64 = applied.into_iter().map(|one| one.expect("its turn").rows).sum();
        assert_eq!(rows, 8, "each row once");
    }
}
