//! Stored rows hold all that metering needs: metered again they are the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::super::change::Change;
use super::super::columns::{ATTRIBUTED, METERED};
use super::super::remeter::Remeter;
use super::*;

const RULES: &str = r#"
    [[senders]]
    source = "gateway-eu"
    assert = { environment = "production" }
    [[rules]]
    when = { "tag.app" = "checkout" }
    set = { team = "payments" }
    copy = { customer = "tag.customer" }
"#;

const OTHER_RULES: &str = r#"
    [[rules]]
    when = { team = "red" }
    set = { tenant = "reds" }
    [[rules]]
    copy = { feature = "tag.app", team = "tag.team" }
"#;

/// Events of every dialect: the golden fixtures that can be metered, and the known bugs' cases.
fn events() -> Vec<CallEvent> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let folders = fs::read_dir(tests.join("fixtures")).expect("the fixtures");
    let folders = folders.map(|entry| entry.expect("an entry").path()).chain([tests.join("bugs")]);
    let files = folders.filter(|path| path.is_dir()).flat_map(|folder| {
        let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
        files.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "json"))
    });
    let mut events = Vec::new();
    for path in files {
        let file: Value = serde_json::from_slice(&fs::read(&path).expect("a file")).expect("JSON");
        for mut raw in list(&file) {
            for (name, value) in [("event_id", "e"), ("source", "gateway-eu"), ("model", "gpt-x")] {
                if raw[name].is_null() {
                    raw[name] = value.into();
                }
            }
            raw["occurred_at"] = "2026-11-20T12:00:00Z".into();
            events.extend(decode_call_event(raw.to_string().as_bytes()).ok());
        }
    }
    events
}

fn list(file: &Value) -> Vec<Value> {
    match (&file["event"], &file["events"]) {
        (event @ Value::Object(_), _) => vec![event.clone()],
        (_, Value::Array(events)) => events.clone(),
        _ => Vec::new(),
    }
}

/// Each event thrice: as it is, with claims and tags, and with a credential that asserts.
fn rows(book: &PriceBook, by: &Rules) -> Vec<CallRow> {
    let who = |tenant: &str, team: &str| Who {
        tenant: Some(tenant.to_owned()),
        team: Some(team.to_owned()),
        ..Who::default()
    };
    let mut rows = Vec::new();
    for event in events() {
        for (claims, asserted, allowed) in [
            (Who::default(), Who::default(), false),
            (who("acme", "red"), Who::default(), true),
            (who("acme", "red"), who("globex", "red"), false),
        ] {
            let mut event = event.clone();
            event.who = claims;
            event.tags.insert("app".to_owned(), "checkout".to_owned());
            event.tags.insert("customer".to_owned(), "c-1".to_owned());
            let namespace = "n".to_owned();
            let sender = Sender { namespace, asserted, claims_allowed: allowed };
            rows.extend(row(event, book, by, &sender));
        }
    }
    assert!(rows.len() > 300, "only {} rows", rows.len());
    rows
}

#[test]
fn under_the_same_terms_nothing_changes() {
    let (book, _) = books();
    let stored = batch(&rows(&book, &rules(RULES)));
    for by in [None, Some(rules(RULES))] {
        let (scope, terms) = (Scope::default(), terms(book.clone(), by));
        let mut remeter = Remeter::new(&scope, &terms);
        let changed = remeter.of(&stored).expect("metered");
        if let Some(changed) = changed {
            let place = changed.mask().iter().position(|mask| mask == Some(true)).expect("a row");
            for name in METERED.iter().chain(&ATTRIBUTED) {
                let column = |batch: &RecordBatch| {
                    batch.column_by_name(name).expect("a column").slice(place, 1)
                };
                assert_eq!(&column(&stored), &column(changed.rows()), "`{name}` of row {place}");
            }
        }
        assert_eq!(remeter.difference.rows_refused, 0);
        assert_eq!(remeter.difference.rows_changed, 0);
        assert_eq!(remeter.difference.rows_read, stored.num_rows() as u64);
    }
}

#[test]
fn under_other_terms_rows_are_what_they_would_have_been() {
    let (book, dearer) = books();
    let before = rows(&book, &rules(RULES));
    let other = rules(OTHER_RULES);
    let after: Vec<CallRow> = before
        .iter()
        .map(|row| {
            let charge = &row.charge;
            let sender = charge.attribution.sender(&charge.namespace);
            super::row(charge.event.clone(), &dearer, &other, &sender).expect("a row")
        })
        .collect();
    let (stored, expected) = (batch(&before), batch(&after));
    let (scope, terms) = (Scope::default(), terms(dearer, Some(rules(OTHER_RULES))));
    let mut remeter = Remeter::new(&scope, &terms);
    let changed = remeter.of(&stored).expect("metered").expect("changes");
    let rows = changed.mask().iter().enumerate().filter(|(_, mask)| *mask == Some(true));
    let rows: Vec<usize> = rows.map(|(row, _)| row).collect();
    assert!(rows.len() > 100, "only {} rows change", rows.len());
    for name in METERED.iter().chain(&ATTRIBUTED) {
        let column = |batch: &RecordBatch| batch.column_by_name(name).expect("a column").clone();
        let (new, wanted) = (column(changed.rows()), column(&expected));
        for row in &rows {
            assert_eq!(&new.slice(*row, 1), &wanted.slice(*row, 1), "`{name}` of row {row}");
        }
        let kept = (0..stored.num_rows())
            .filter(|row| !rows.contains(row) && *name != "price_book_version");
        for row in kept {
            assert_eq!(
                &column(&stored).slice(row, 1),
                &wanted.slice(row, 1),
                "`{name}` of row {row}"
            );
        }
    }
}

#[test]
fn another_model_is_priced_with_the_same_tokens() {
    let (book, _) = books();
    let event = r#"{"event_id": "e", "source": "s", "occurred_at": "2026-11-20T12:00:00Z",
        "provider": "openai", "api": "chat.completions", "model": "gpt-x",
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100}}"#;
    let event = decode_call_event(event.as_bytes()).expect("an event");
    let stored = batch(&[row(event, &book, &Rules::default(), &Sender::default()).expect("a row")]);
    let mut terms = terms(book, None);
    terms.models.insert("gpt-x".to_owned(), "openai/gpt-falling".to_owned());
    let scope = Scope::default();
    let mut remeter = Remeter::new(&scope, &terms);
    remeter.of(&stored).expect("metered").expect("it changes");
    let changes = remeter.difference.changes();
    assert_eq!(changes.before.cost.to_string(), "0.00225");
    assert_eq!(changes.after.cost.to_string(), "0.0028");
}

#[test]
fn every_column_is_decided_by_somebody() {
    let decided: BTreeSet<&str> = METERED.into_iter().chain(ATTRIBUTED).collect();
    let revision = ["revision", "revised_at", "revision_reason"];
    let kept = "namespace source event_id identity_hash content_hash provider_response_id \
        source_topic source_partition source_offset source_index schema_version hash_version \
        occurred_at ingested_at tags claims_allowed provider api request_model response_model \
        operation region deployment context raw_usage trace_id operation_id parent_id step attempt \
        fallback_of status http_status error_type stream gateway_cache_hit latency_ms ttft_ms \
        provisional";
    let kept: BTreeSet<&str> = kept.split_whitespace().chain(revision).collect();
    assert!(decided.is_disjoint(&kept));
    let columns = TableName::Calls.spec().columns;
    let columns: BTreeSet<&str> = columns.iter().map(|column| column.name).collect();
    let all: BTreeSet<&str> = decided.union(&kept).copied().collect();
    assert_eq!(columns, all, "say whether metering decides a new column");
}
