//! A lake of `acme`, alone, beside others, and mixed with them: every table has rows of each.
//!
//! The others' values are traps: casts of them fail, differences with them are zero, their sums
//! overflow, and they sort before and after those of `acme`.

use super::lake::{Call, TestLake, at, call_row, dead_letter, price};
use crate::anomaly::{Anomaly, IncidentState, Scope};
use crate::lake::{
    AnomalyRow, Batch, CallRow, ControlRow, DeadLetterRow, PriceRow, Revision, Rows, Side,
    TableName,
};
use crate::money::Usd;
use crate::time::Window;

/// Whose rows are looked at.
pub const OWN: &str = "acme";
/// Calls of each side.
const CALLS: i64 = 60;

/// Where the others' rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// Nowhere.
    Absent,
    /// In files of their own, before, between and after.
    Apart,
    /// In the same files, row by row.
    Mixed,
}

/// The rows of one side.
struct Rowset {
    calls: Vec<CallRow>,
    letters: Vec<DeadLetterRow>,
    anomalies: Vec<AnomalyRow>,
    prices: Vec<PriceRow>,
    control: Vec<ControlRow>,
}

/// The lake.
pub async fn lake(others: Others) -> TestLake {
    let test = TestLake::empty().await;
    match others {
        Others::Absent => {
            test.commit(own(0..30), 1).await;
            test.commit(own(30..CALLS), 2).await;
        }
        Others::Apart => {
            test.commit(foreign(0..20), 1).await;
            test.commit(own(30..CALLS), 2).await;
            test.commit(foreign(20..40), 3).await;
            test.commit(own(0..30), 4).await;
            test.commit(foreign(40..CALLS), 5).await;
        }
        Others::Mixed => test.commit(mixed(own(0..CALLS), foreign(0..CALLS)), 1).await,
    }
    test
}

impl TestLake {
    async fn commit(&self, rows: Rowset, next: i64) {
        let mut calls = Rows::<CallRow>::default();
        rows.calls.iter().for_each(|row| calls.push(row));
        let batches = calls.finish().expect("batches");
        let revised = batches.iter().map(|batch| {
            let rows = revision().rows(Side::Before, &batch.rows).expect("rows");
            Batch { date: batch.date, rows }
        });
        self.write_batches(TableName::CallRevisions, revised.collect(), next).await;
        self.write_batches(TableName::Calls, batches, next).await;
        self.write(TableName::DeadLetters, rows.letters, next).await;
        self.write(TableName::Anomalies, rows.anomalies, next).await;
        self.write(TableName::Prices, rows.prices, next).await;
        self.write(TableName::Control, rows.control, next).await;
    }
}

/// Rows of one side and the other, in turn.
fn mixed(one: Rowset, other: Rowset) -> Rowset {
    fn in_turn<T>(one: Vec<T>, other: Vec<T>) -> Vec<T> {
        let (mut one, mut other) = (one.into_iter(), other.into_iter());
        let mut all = Vec::new();
        loop {
            match (other.next(), one.next()) {
                (None, None) => return all,
                (first, second) => all.extend(first.into_iter().chain(second)),
            }
        }
    }
    Rowset {
        calls: in_turn(one.calls, other.calls),
        letters: in_turn(one.letters, other.letters),
        anomalies: in_turn(one.anomalies, other.anomalies),
        prices: in_turn(one.prices, other.prices),
        control: in_turn(one.control, other.control),
    }
}

fn revision() -> Revision {
    Revision {
        revision_id: "revision-1".to_owned(),
        by: "cli".to_owned(),
        at: at("2026-11-23T00:00:00Z"),
        reason: "corrected".to_owned(),
    }
}

fn own(places: std::ops::Range<i64>) -> Rowset {
    let first = places.start == 0;
    let calls = places.map(|place| {
        let models = ["gpt-5", "claude-5", "mystery-1"];
        let model = *models.iter().cycle().nth(place.unsigned_abs() as usize).expect("a model");
        let cost = if model == "mystery-1" { -1 } else { i128::from(place) * 1_000 + 10 };
        let (id, team) = (format!("own-{place:02}"), (place % 4 + 1).to_string());
        row((&id, OWN, &team, model, place % 30 + 1, cost), 1_000 + place)
    });
    let calls = calls.collect();
    let few = usize::from(first);
    Rowset {
        calls,
        letters: vec![dead_letter(OWN); few],
        anomalies: vec![anomaly(OWN); few],
        prices: [None, Some(OWN)].into_iter().take(2 * few).map(price).collect(),
        control: Vec::new(),
    }
}

fn foreign(places: std::ops::Range<i64>) -> Rowset {
    let first = places.start == 0;
    let calls = places.map(|place| {
        let tenant = if place % 5 == 4 { "unattributed" } else { "globex" };
        let prefix = if place % 2 == 0 { "aaa" } else { "zzz" };
        let (id, team) = (format!("{prefix}-globex-{place}"), format!("globex team {place}"));
        let cost = 999_999_000_000 - i128::from(place);
        row((&id, tenant, &team, "globex-1", place % 40 + 100, cost), 5_000 + place)
    });
    let calls = calls.collect();
    let nobody = DeadLetterRow { tenant: None, ..dead_letter("globex") };
    let few = usize::from(first);
    let letters = [dead_letter("globex"), nobody].into_iter().cycle().take(6 * few).collect();
    let prices = std::iter::repeat_n(Some("globex"), 3 * few).map(price).collect();
    let (anomalies, control) = (vec![anomaly("globex"); 3 * few], vec![control(); few]);
    Rowset { calls, letters, anomalies, prices, control }
}

fn row(call: Call<'_>, offset: i64) -> CallRow {
    call_row(&call, offset)
}

fn anomaly(tenant: &str) -> AnomalyRow {
    let start = at("2026-11-21T01:00:00Z");
    let usd = |whole: i128| Usd::from_pico(whole * 1_000_000_000_000);
    AnomalyRow {
        anomaly: Anomaly {
            anomaly_id: uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_DNS, tenant.as_bytes()),
            revision: 0,
            state: IncidentState::Open,
            scope: Scope::Tenant { tenant: tenant.to_owned() },
            detector: "p95x3/1".to_owned(),
            window: Window { start, end: start.plus_seconds(3_600) },
            actual: usd(9),
            expected: usd(2),
            threshold: usd(5),
            contributors: Vec::new(),
            explanation: format!("{tenant} spent 9 USD"),
        },
        published_at: start.plus_seconds(7_200),
    }
}

fn control() -> ControlRow {
    let made = at("2026-11-21T01:00:00Z");
    ControlRow {
        key_id: "key-globex".to_owned(),
        key_hash: [9; 32],
        prefix: "tm_".to_owned(),
        owner: "globex".to_owned(),
        scopes: vec!["query".to_owned()],
        tenants: vec!["globex".to_owned()],
        asserted: std::collections::BTreeMap::new(),
        claims_allowed: false,
        created_at: made,
        expires_at: None,
        revoked_at: None,
        updated_at: made,
        note: None,
    }
}
