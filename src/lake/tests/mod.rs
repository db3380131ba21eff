//! The lake's tests: on temporary directories, without a network.
//! `TOKENMETER_TEST_LAKE=s3://bucket` runs those of commits, merges and tables on an object store
//! (by the usual AWS names) instead.

mod closing;
mod commits;
mod dictionary;
mod durability;
mod faults;
mod latency;
mod merging;
mod power_loss;
mod tables;
mod tail;
mod torn;

use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::attribution::{Attribution, TenantSource, WhoSource};
use crate::charge::Charge;
use crate::event::{CallEvent, Identity, Json, Lineage, Who};
use crate::money::Usd;
use crate::pricing::{Cost, CostStatus};
use crate::time::{FixedClock, Timestamp};
use crate::usage::{Counters, Flags, TokenClass, Tokens, Usage, UsageStatus};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

fn now() -> Timestamp {
    at("2026-11-23T12:00:00Z")
}

fn config(dir: &TempDir) -> LakeConfig {
    let path = dir.path().to_str().expect("a UTF-8 path");
    let url = match std::env::var("TOKENMETER_TEST_LAKE") {
        Ok(bucket) => format!("{bucket}{path}"),
        Err(_) => path.to_owned(),
    };
    LakeConfig { url, ..LakeConfig::default() }
}

async fn open(dir: &TempDir) -> Lake {
    open_at(dir, now()).await
}

async fn open_at(dir: &TempDir, now: Timestamp) -> Lake {
    Lake::open(&config(dir), Arc::new(FixedClock(now))).await.expect("the lake opens")
}

fn lineage(offset: i64) -> Lineage {
    Lineage { topic: "llm.calls.raw".to_owned(), partition: 3, offset, index: 0 }
}

/// A call of 1,000 picodollars per input token, completed at `occurred_at`.
fn charge(event_id: &str, tenant: &str, occurred_at: Timestamp) -> Charge {
    let mut event = CallEvent::new(event_id, "gateway-1", occurred_at, "openai", "gpt-5");
    event.usage =
        Some(Json::Object(vec![("prompt_tokens".to_owned(), Json::Number(7_u64.into()))]));
    let mut tokens = Tokens::default();
    tokens.set(TokenClass::InputText, 7);
    tokens.set(TokenClass::CacheWrite30m, 2);
    tokens.set(TokenClass::OutputText, 5);
    let request = Counters { tokens, ..Counters::default() };
    let usage = Usage {
        requests: vec![request],
        status: UsageStatus::Complete,
        dialect: "openai/chat.completions".to_owned(),
        service_tier: None,
        facts: std::collections::BTreeMap::new(),
        reported_cost: None,
        flags: Flags::default(),
    };
    let mut cost = Cost::unknown(CostStatus::Priced);
    cost.cost = Some(Usd::from_pico(7_000));
    let who = Who { tenant: Some(tenant.to_owned()), ..Who::default() };
    let identity = Identity::of(&event, "local");
    let attribution = Attribution {
        who,
        tenant_source: TenantSource::Asserted,
        sources: vec![("tenant", WhoSource::Credential)],
        claimed_who: std::collections::BTreeMap::new(),
        claims_allowed: false,
    };
    Charge { event, identity, namespace: "local".to_owned(), usage, cost, attribution }
}

/// One batch for each date of the rows.
fn batches(range: std::ops::Range<i64>) -> Vec<Batch> {
    let mut rows = Rows::<CallRow>::default();
    for offset in range {
        let tenant = if offset % 2 == 0 { "acme" } else { "globex" };
        let charge = charge(&format!("event-{offset}"), tenant, now().plus_seconds(-offset));
        rows.push(&CallRow::new(charge, lineage(offset), now()).expect("a row"));
    }
    rows.finish().expect("batches")
}

const PARTITION: &str = "main/cluster/llm.calls.raw/1/3";

/// Appends the rows of an offset range in one commit.
async fn append(table: &Table, range: std::ops::Range<i64>) -> Outcome {
    let end = range.end;
    let staged = table.write(batches(range)).await.expect("files are written");
    let commit = Commit::append(staged, vec![(PARTITION.to_owned(), end)]);
    table.commit(&table.snapshot().expect("open"), &commit).await.expect("a commit")
}

async fn event_ids(table: &Table) -> Vec<String> {
    let snapshot = table.refresh().await.expect("a snapshot");
    let mut ids = Vec::new();
    for file in snapshot.files().await.expect("files").iter() {
        for batch in table.read(file, Some(&["event_id"])).await.expect("rows") {
            let column = arrow::array::AsArray::as_string::<i32>(batch.column(0)).clone();
            ids.extend(column.iter().flatten().map(str::to_owned));
        }
    }
    ids.sort();
    ids
}

fn expected_ids(range: std::ops::Range<i64>) -> Vec<String> {
    let mut ids: Vec<String> = range.map(|offset| format!("event-{offset}")).collect();
    ids.sort();
    ids
}
