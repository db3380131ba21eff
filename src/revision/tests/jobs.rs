//! Revisions on a lake: tried, applied, rolled back, beside others and after a death.

use arrow::array::AsArray;
use arrow::datatypes::{Decimal128Type, Int32Type};

use super::*;

/// A lake of calls on several dates, in several files, some of them merged.
pub struct Fixture {
    _dir: TempDir,
    pub lake: Lake,
    written: i64,
}

const DATES: i64 = 4;

impl Fixture {
    pub async fn new() -> Self {
        let dir = TempDir::new().expect("a directory");
        let url = dir.path().to_str().expect("a UTF-8 path").to_owned();
        let config = LakeConfig { url, ..LakeConfig::default() };
        let lake = Lake::open(&config, Arc::new(FixedClock(now()))).await.expect("the lake opens");
        let mut fixture = Self { _dir: dir, lake, written: 0 };
        fixture.append(400).await;
        fixture.append(300).await;
        fixture.merge().await;
        fixture.append(20).await;
        fixture
    }

    fn calls(&self) -> &Table {
        self.lake.table(TableName::Calls)
    }

    async fn append(&mut self, rows: i64) {
        let (book, _) = books();
        let mut batches = Rows::<CallRow>::default();
        for number in self.written..self.written + rows {
            batches.push(&call(number, &book));
        }
        self.written += rows;
        let staged = self.calls().write(batches.finish().expect("batches")).await.expect("files");
        let commit = Commit::append(staged, vec![("source".to_owned(), self.written)]);
        let outcome = self.calls().commit(&self.calls().snapshot().expect("open"), &commit).await;
        assert!(matches!(outcome, Ok(Outcome::Committed(_))), "{outcome:?}");
    }

    async fn merge(&self) {
        let merge_every = crate::setting::Span::millis(0);
        let eager = MaintenanceConfig { merge_every, ..MaintenanceConfig::default() };
        for table in [self.calls(), self.lake.table(TableName::CallRevisions)] {
            Maintenance::new(eager.clone()).run_once(table).await.expect("a run");
        }
    }

    /// All rows, by event id.
    async fn rows(&self) -> BTreeMap<String, (i128, i32, String)> {
        let mut rows = BTreeMap::new();
        let snapshot = self.calls().refresh().await.expect("a snapshot");
        for file in snapshot.files().await.expect("files").iter() {
            for batch in self.calls().read(file, None).await.expect("rows") {
                let text = |name: &str| {
                    batch.column_by_name(name).expect("a column").as_string::<i32>().clone()
                };
                let costs = batch.column_by_name("cost_usd").expect("a column");
                let costs = costs.as_primitive::<Decimal128Type>();
                let revisions = batch.column_by_name("revision").expect("a column");
                let revisions = revisions.as_primitive::<Int32Type>();
                let (ids, tenants) = (text("event_id"), text("tenant"));
                for place in 0..batch.num_rows() {
                    let row = (costs.value(place), revisions.value(place), tenants.value(place));
                    let row = (row.0, row.1, row.2.to_owned());
                    assert!(rows.insert(ids.value(place).to_owned(), row).is_none(), "twice");
                }
            }
        }
        assert_eq!(rows.len(), usize::try_from(self.written).expect("few rows"));
        rows
    }

    pub async fn total(&self) -> i128 {
        self.rows().await.values().map(|(cost, ..)| cost).sum()
    }

    async fn history(&self) -> Vec<Entry> {
        history(&self.lake).await.expect("a history")
    }
}

/// Calls of two tenants, claimed, on four dates.
fn call(number: i64, book: &PriceBook) -> CallRow {
    let event = format!(
        r#"{{"event_id": "e-{number:05}", "source": "s", "provider": "openai",
        "api": "chat.completions", "model": "gpt-x", "occurred_at": "2026-11-1{}T12:00:00Z",
        "tenant": "{}", "tags": {{"org": "{}"}},
        "usage": {{"prompt_tokens": {}, "completion_tokens": {}}}}}"#,
        number % DATES,
        if number % 3 == 0 { "acme" } else { "globex" },
        if number % 5 == 0 { "umbrella" } else { "" },
        1_000 + number,
        // No output: what it costs does not change with its price.
        if number % 7 == 0 { 0 } else { 10 },
    );
    let event = decode_call_event(event.as_bytes()).expect("an event");
    let sender =
        Sender { namespace: "local".to_owned(), claims_allowed: true, ..Sender::default() };
    row(event, book, &Rules::default(), &sender).expect("a row")
}

fn author(reason: &str) -> Author {
    Author { by: "finance".to_owned(), reason: reason.to_owned(), at: now() }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_tried_is_what_is_applied_and_rolled_back() {
    let fixture = Fixture::new().await;
    let (first, (_, dearer)) = (fixture.rows().await, books());
    let (scope, terms) = (Scope::default(), terms(dearer, None));
    let tried = dry_run(&fixture.lake, &scope, &terms).await.expect("a difference");
    assert_eq!(fixture.rows().await, first, "a dry run stores nothing");
    assert_eq!(tried.rows_read, 720);
    assert_eq!(tried.rows_changed, 617, "six of seven have output");
    assert_eq!(tried.groups.len(), 8, "two tenants on four dates");

    let author = author("prices of November");
    let (applied, difference) =
        apply(&fixture.lake, &scope, &terms, &author).await.expect("a revision");
    assert_eq!((applied.rows, &difference), (617, &tried));
    let [id] = applied.revision_ids.as_slice() else { panic!("{applied:?}") };
    let second = fixture.rows().await;
    assert_eq!(fixture.total().await, tried.total.after.cost.pico());
    let raised = second.values().filter(|(_, revision, _)| *revision == 1).count();
    assert_eq!(raised, 617);
    let again = dry_run(&fixture.lake, &scope, &terms).await.expect("a difference");
    assert_eq!(again.rows_changed, 0, "the same again changes nothing");
    let history = fixture.history().await;
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].sides, tried.changes());
    assert_eq!((history[0].by.as_str(), history[0].at), ("finance", now()));

    fixture.merge().await;
    rollback(&fixture.lake, id, &author).await.expect("a rollback");
    let third = fixture.rows().await;
    let costs = |rows: &BTreeMap<String, (i128, i32, String)>| {
        rows.iter().map(|(id, (cost, ..))| (id.clone(), *cost)).collect::<Vec<_>>()
    };
    assert_eq!(costs(&third), costs(&first));
    assert!(third.values().all(|(_, revision, _)| [0, 2].contains(revision)));
    assert_eq!(fixture.history().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_bounds_what_changes() {
    let fixture = Fixture::new().await;
    let first = fixture.rows().await;
    let scope = Scope {
        from: Some(at("2026-11-11T00:00:00Z")),
        to: Some(at("2026-11-13T00:00:00Z")),
        tenant: Some("acme".to_owned()),
    };
    let terms = terms(books().1, None);
    let (applied, _) =
        apply(&fixture.lake, &scope, &terms, &author("a contract")).await.expect("a revision");
    let after = fixture.rows().await;
    let changed: Vec<i64> = (0..fixture.written)
        .filter(|number| {
            let id = format!("e-{number:05}");
            first[&id] != after[&id]
        })
        .collect();
    let is_in = |n: &i64| n % 3 == 0 && [1, 2].contains(&(n % DATES)) && n % 7 != 0;
    let expected: Vec<i64> = (0..fixture.written).filter(is_in).collect();
    assert_eq!(changed, expected);
    assert_eq!(applied.rows, expected.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_rules_move_rows_between_tenants() {
    let fixture = Fixture::new().await;
    let before = fixture.total().await;
    let by_tag = rules("[[rules]]\ncopy = { tenant = \"tag.org\" }");
    let (scope, terms) = (Scope::default(), terms(books().0, Some(by_tag)));
    let (_, difference) =
        apply(&fixture.lake, &scope, &terms, &author("by organization")).await.expect("a revision");
    assert_eq!(fixture.total().await, before, "the same sum, of others");
    let moved = fixture.rows().await.into_values().filter(|(.., tenant)| tenant == "umbrella");
    assert_eq!(moved.count(), 144);
    let to = difference.groups.iter().filter(|(group, _)| group.tenant == "umbrella");
    assert_eq!(to.map(|(_, sides)| sides.after.rows).sum::<u64>(), 144);

    // Rules are those of the present: without any, what was claimed counts again.
    let terms = Terms { rules: Some(Rules::default()), ..terms };
    apply(&fixture.lake, &scope, &terms, &author("by claim")).await.expect("a revision");
    let tenants = fixture.rows().await;
    assert!(tenants.values().all(|(.., tenant)| ["acme", "globex"].contains(&tenant.as_str())));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_again_is_not_rolled_back() {
    let fixture = Fixture::new().await;
    let (cheap, dearer) = books();
    let (scope, author) = (Scope::default(), author("why"));
    let (first, _) =
        apply(&fixture.lake, &scope, &terms(dearer, None), &author).await.expect("one");
    let (second, _) =
        apply(&fixture.lake, &scope, &terms(cheap, None), &author).await.expect("two");
    let state = fixture.rows().await;
    let refused = rollback(&fixture.lake, &first.revision_ids[0], &author).await;
    let message = refused.expect_err("a refusal").to_string();
    assert!(message.starts_with("617 rows of revision"), "{message}");
    assert_eq!(fixture.rows().await, state);
    let unknown = rollback(&fixture.lake, "nonsense", &author).await.expect_err("a refusal");
    assert!(unknown.to_string().starts_with("there is no revision `nonsense`"), "{unknown}");
    rollback(&fixture.lake, &second.revision_ids[0], &author).await.expect("the later one first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_revision_is_several_of_whole_dates() {
    let mut fixture = Fixture::new().await;
    fixture.append(2_000).await;
    let (scope, terms) = (Scope::default(), terms(books().1, None));
    let tried = dry_run(&fixture.lake, &scope, &terms).await.expect("a difference");
    let (applied, _) =
        apply(&fixture.lake, &scope, &terms, &author("large")).await.expect("revisions");
    assert_eq!(applied.revision_ids.len(), 2, "1,000 rows and more at a time");
    assert_eq!(applied.rows, tried.rows_changed);
    assert_eq!(fixture.total().await, tried.total.after.cost.pico());
    for id in applied.revision_ids.iter().rev() {
        rollback(&fixture.lake, id, &author("back")).await.expect("a rollback");
    }
    assert_eq!(fixture.total().await, tried.total.before.cost.pico());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_died_before_its_commit_counts_for_nothing() {
    let fixture = Fixture::new().await;
    let before = fixture.rows().await;
    let (scope, terms) = (Scope::default(), terms(books().1, None));
    // As a process leaves it that died after the sides were appended: they are there twice, once of
    // a revision that counts.
    let (applied, _) =
        apply(&fixture.lake, &scope, &terms, &author("one")).await.expect("a revision");
    rollback(&fixture.lake, &applied.revision_ids[0], &author("back")).await.expect("a rollback");
    let sides = fixture.lake.table(TableName::CallRevisions);
    let files = sides.refresh().await.expect("a snapshot").files().await.expect("files");
    let mut orphan =
        crate::lake::FileWriter::start(sides, files[0].days(), crate::lake::Purpose::Unsorted)
            .await
            .expect("a file");
    for batch in sides.read(&files[0], None).await.expect("rows") {
        orphan = orphan.push(renamed(&batch)).await.expect("rows");
    }
    let staged = orphan.finish().await.expect("a file");
    let commit = Commit::append(vec![staged], vec![("revision/dead".to_owned(), 1)]);
    let outcome = sides.commit(&sides.snapshot().expect("open"), &commit).await;
    assert!(matches!(outcome, Ok(Outcome::Committed(_))), "{outcome:?}");
    fixture.merge().await;
    assert_eq!(fixture.history().await.len(), 2, "the dead one does not count");

    apply(&fixture.lake, &scope, &terms, &author("two")).await.expect("a revision");
    let entries = fixture.history().await;
    assert_eq!(entries.len(), 3);
    assert!(entries.iter().all(|entry| entry.sides.before.rows == 617), "{entries:?}");
    let mut ids = std::collections::BTreeSet::new();
    let files = sides.refresh().await.expect("a snapshot").files().await.expect("files");
    for file in files.iter() {
        for batch in sides.read(file, Some(&["revision_id"])).await.expect("rows") {
            let column = batch.column(0).as_string::<i32>().clone();
            ids.extend(column.iter().flatten().map(str::to_owned));
        }
    }
    assert_eq!(ids.len(), 3, "its rows are gone: {ids:?}");
    assert_eq!(before.len(), fixture.rows().await.len());
}

fn renamed(sides: &RecordBatch) -> RecordBatch {
    let dead = arrow::array::StringArray::from_iter_values(vec!["dead"; sides.num_rows()]);
    let mut columns = sides.columns().to_vec();
    columns[0] = Arc::new(dead);
    RecordBatch::try_new(sides.schema(), columns).expect("the same columns")
}

#[tokio::test(flavor = "multi_thread")]
async fn appends_and_merges_go_on_beside_a_revision() {
    let mut fixture = Fixture::new().await;
    let lake = fixture.lake.clone();
    let (scope, terms) = (Scope::default(), terms(books().1, None));
    let revision = tokio::spawn(async move {
        apply(&lake, &scope, &terms, &author("beside")).await.expect("a revision")
    });
    for _ in 0..10 {
        let calls = fixture.calls().clone();
        calls.refresh().await.expect("a snapshot");
        fixture.append_anyhow(10).await;
        fixture.merge().await;
    }
    let (applied, _) = revision.await.expect("no panic");
    assert!(applied.rows >= 617, "{applied:?}");
    let rows = fixture.rows().await;
    let dearer = books().1;
    for (id, (cost, revision, _)) in &rows {
        let number: i64 = id.trim_start_matches("e-").parse().expect("a number");
        let book = if *revision == 0 { books().0 } else { dearer.clone() };
        let expected = call(number, &book).charge.cost.cost.expect("priced").pico();
        assert_eq!(*cost, expected, "{id} at revision {revision}");
    }
}

impl Fixture {
    /// Appends however often others are faster.
    async fn append_anyhow(&mut self, rows: i64) {
        let (book, _) = books();
        let mut batches = Rows::<CallRow>::default();
        (self.written..self.written + rows).for_each(|n| batches.push(&call(n, &book)));
        self.written += rows;
        let staged = self.calls().write(batches.finish().expect("batches")).await.expect("files");
        let commit = Commit::append(staged, vec![("source".to_owned(), self.written)]);
        let mut on = self.calls().snapshot().expect("open");
        loop {
            match self.calls().commit(&on, &commit).await.expect("an answer") {
                Outcome::Committed(_) => return,
                Outcome::Conflicted { newest } => on = newest,
                outcome @ Outcome::Superseded { .. } => panic!("{outcome:?}"),
            }
        }
    }
}
